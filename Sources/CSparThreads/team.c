/*
 * The team behind spar_threads.h.
 *
 * One 64-bit ticket holds (job number << 32 | slices not yet claimed).  A thread reads the ticket,
 * then the job, then claims a slice by compare-and-swap: that the swap succeeds proves the job it
 * read is still running, because a job is only rewritten when all its slices are done.  So workers
 * that wake late do no harm, and the caller waits for slices, never for threads.
 */
#define _GNU_SOURCE
#include "team.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

typedef struct worker {
  spar_team *team;
  pthread_t thread;
  int32_t index;
} worker;

struct spar_team {
  /* Written by the caller for each job; apart from what idle workers poll. */
  _Alignas(64) _Atomic uint64_t ticket;
  _Alignas(64) _Atomic int64_t done; /* slices finished of the current job */
  _Alignas(64) _Atomic(spar_team_fn) fn;
  _Atomic(void *) arg;
  _Atomic int64_t n, grain, slices;
  _Alignas(64) atomic_flag busy; /* held while a job runs: nested and foreign calls run inline */
  _Atomic int32_t sleepers, caller_sleeps, stop;
  int32_t size, spins;
  spar_teams *joined; /* loops go to these teams instead; the members below are unused */
  pthread_mutex_t mutex;
  pthread_cond_t work, finished;
  worker *workers; /* [size - 1], indices 1... */
};

/* The index this thread has inside a slice, so that a nested loop keeps it. */
static _Thread_local int32_t current_worker;

/* Claims and runs slices until the current job has none left. */
static void work_on(spar_team *team, int32_t index) {
  const int32_t outer = current_worker;
  current_worker = index;
  for (;;) {
    uint64_t ticket = atomic_load_explicit(&team->ticket, memory_order_acquire);
    const int64_t left = (int64_t)(uint32_t)ticket;
    if (left == 0) break;
    const spar_team_fn fn = atomic_load_explicit(&team->fn, memory_order_relaxed);
    void *arg = atomic_load_explicit(&team->arg, memory_order_relaxed);
    const int64_t n = atomic_load_explicit(&team->n, memory_order_relaxed);
    const int64_t grain = atomic_load_explicit(&team->grain, memory_order_relaxed);
    const int64_t slices = atomic_load_explicit(&team->slices, memory_order_relaxed);
    if (!atomic_compare_exchange_weak(&team->ticket, &ticket, ticket - 1)) continue;
    const int64_t begin = (slices - left) * grain;
    fn(arg, begin, n - begin < grain ? n : begin + grain, index);
    if (atomic_fetch_add(&team->done, 1) == slices - 1 && atomic_load(&team->caller_sleeps)) {
      pthread_mutex_lock(&team->mutex);
      pthread_cond_signal(&team->finished);
      pthread_mutex_unlock(&team->mutex);
    }
  }
  current_worker = outer;
}

/* Whether there is something to claim, spinning for it as long as is allowed. */
static int spin_for_work(const spar_team *team) {
  if (!team->spins) return 0;
  const int64_t end = spar_now() + SPIN_NANOSECONDS;
  do {
    for (int i = 0; i < PAUSES_PER_CLOCK_READ; i++) {
      if ((uint32_t)atomic_load_explicit(&team->ticket, memory_order_relaxed)) return 1;
      spar_pause();
    }
  } while (spar_now() < end);
  return 0;
}

static void *worker_main(void *p) {
  const worker *self = p;
  spar_team *team = self->team;
  while (!atomic_load_explicit(&team->stop, memory_order_relaxed)) {
    if (!spin_for_work(team)) {
      pthread_mutex_lock(&team->mutex);
      /* The count goes up before the ticket is read, and the caller writes the ticket before it
       * reads the count: one of the two sees the other. */
      atomic_fetch_add(&team->sleepers, 1);
      while (!(uint32_t)atomic_load(&team->ticket) && !atomic_load(&team->stop))
        pthread_cond_wait(&team->work, &team->mutex);
      atomic_fetch_sub(&team->sleepers, 1);
      pthread_mutex_unlock(&team->mutex);
    }
    work_on(team, self->index);
  }
  return NULL;
}

static void wait_for_slices(spar_team *team, int64_t slices) {
  if (atomic_load(&team->done) == slices) return;
  if (team->spins) {
    const int64_t end = spar_now() + SPIN_NANOSECONDS;
    do {
      for (int i = 0; i < PAUSES_PER_CLOCK_READ; i++) {
        if (atomic_load_explicit(&team->done, memory_order_acquire) == slices) return;
        spar_pause();
      }
    } while (spar_now() < end);
  }
  pthread_mutex_lock(&team->mutex);
  atomic_store(&team->caller_sleeps, 1);
  while (atomic_load(&team->done) != slices) pthread_cond_wait(&team->finished, &team->mutex);
  atomic_store(&team->caller_sleeps, 0);
  pthread_mutex_unlock(&team->mutex);
}

static void run_inline(int64_t n, int64_t grain, spar_team_fn fn, void *arg) {
  for (int64_t begin = 0; begin < n;) {
    const int64_t end = n - begin < grain ? n : begin + grain;
    fn(arg, begin, end, current_worker);
    begin = end;
  }
}

void spar_team_for(spar_team *team, int64_t n, int64_t grain, spar_team_fn fn, void *arg) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  const int64_t slices = (n - 1) / grain + 1;
  if (team && team->joined && slices > 1) {
    spar_teams_for(team->joined, n, grain, slices, fn, arg);
    return;
  }
  if (slices == 1 || slices > UINT32_MAX || !team || team->size == 1 ||
      atomic_flag_test_and_set_explicit(&team->busy, memory_order_acquire)) {
    run_inline(n, grain, fn, arg);
    return;
  }
  atomic_store_explicit(&team->fn, fn, memory_order_relaxed);
  atomic_store_explicit(&team->arg, arg, memory_order_relaxed);
  atomic_store_explicit(&team->n, n, memory_order_relaxed);
  atomic_store_explicit(&team->grain, grain, memory_order_relaxed);
  atomic_store_explicit(&team->slices, slices, memory_order_relaxed);
  atomic_store_explicit(&team->done, 0, memory_order_relaxed);
  const uint64_t job = (atomic_load_explicit(&team->ticket, memory_order_relaxed) >> 32) + 1;
  atomic_store(&team->ticket, job << 32 | (uint64_t)slices);
  if (atomic_load(&team->sleepers) > 0) {
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->mutex);
  }
  work_on(team, 0);
  wait_for_slices(team, slices);
  atomic_flag_clear_explicit(&team->busy, memory_order_release);
}

/* Starts the workers with all signals blocked: handlers belong to the program's own threads. */
static int start_workers(spar_team *team, const cpu_set_t *cores) {
  sigset_t all, before;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (cores) pthread_attr_setaffinity_np(&attributes, sizeof *cores, cores);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int32_t started = 0;
  while (started < team->size - 1) {
    worker *w = &team->workers[started];
    w->team = team;
    w->index = started + 1;
    if (pthread_create(&w->thread, &attributes, worker_main, w) != 0) break;
    started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  const int complete = started == team->size - 1;
  team->size = started + 1; /* what destroy has to join */
  return complete;
}

static spar_team *empty_team(int32_t threads) {
  spar_team *team = aligned_alloc(64, sizeof(spar_team));
  if (team) *team = (spar_team){.size = threads};
  return team;
}

spar_team *spar_team_on(int32_t threads, const cpu_set_t *cores, int32_t spins) {
  spar_team *team = empty_team(threads);
  worker *workers = calloc((size_t)threads, sizeof(worker));
  if (!team || !workers) {
    free(team);
    free(workers);
    return NULL;
  }
  team->spins = spins;
  team->workers = workers;
  atomic_flag_clear(&team->busy);
  pthread_mutex_init(&team->mutex, NULL);
  pthread_cond_init(&team->work, NULL);
  pthread_cond_init(&team->finished, NULL);
  if (!start_workers(team, cores)) {
    spar_team_destroy(team);
    return NULL;
  }
  return team;
}

spar_team *spar_team_create(int32_t threads) {
  if (threads < 1) threads = 1;
  return spar_team_on(threads, NULL, threads <= spar_usable_cores());
}

spar_team *spar_team_joining(spar_teams *teams, int32_t threads) {
  spar_team *team = empty_team(threads);
  if (team) team->joined = teams;
  return team;
}

void spar_team_destroy(spar_team *team) {
  if (!team) return;
  if (team->joined) {
    free(team);
    return;
  }
  pthread_mutex_lock(&team->mutex);
  atomic_store(&team->stop, 1);
  pthread_cond_broadcast(&team->work);
  pthread_mutex_unlock(&team->mutex);
  for (int32_t i = 0; i < team->size - 1; i++) pthread_join(team->workers[i].thread, NULL);
  pthread_cond_destroy(&team->work);
  pthread_cond_destroy(&team->finished);
  pthread_mutex_destroy(&team->mutex);
  free(team->workers);
  free(team);
}

int32_t spar_team_size(const spar_team *team) { return team ? team->size : 1; }

int32_t spar_usable_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count < 1 ? 1 : count;
}
