/*
 * Several teams side by side.
 *
 * A leader waits for the job number of its mailbox to move, runs the job on its team, and copies
 * the number to `done`.  The caller leads team 0 and then waits for the others.
 */
#define _GNU_SOURCE
#include "team.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef void (*team_job)(void *arg, int32_t team);

typedef struct leader {
  _Alignas(64) _Atomic uint64_t posted;
  _Alignas(64) _Atomic uint64_t done;
  spar_teams *teams;
  spar_team *team;
  pthread_t thread;
  int32_t index, threads;
  int32_t first; /* threads in the teams before */
} leader;

struct spar_teams {
  _Alignas(64) atomic_flag busy; /* held while a job runs: foreign calls run inline */
  _Atomic int32_t sleepers, caller_sleeps, stop;
  team_job fn;
  void *arg;
  uint64_t job;
  int32_t count, started, threads, spins;
  pthread_mutex_t mutex;
  pthread_cond_t work, finished;
  spar_team *all;
  leader *leaders; /* [count]; the first stands for the caller */
};

/* Whether `value` becomes `wanted` within the time a thread may spin. */
static int spin_until(const spar_teams *teams, const _Atomic uint64_t *value, uint64_t old,
                      uint64_t wanted) {
  if (!teams->spins) return 0;
  const int64_t end = spar_now() + SPIN_NANOSECONDS;
  do {
    for (int i = 0; i < PAUSES_PER_CLOCK_READ; i++) {
      const uint64_t now = atomic_load_explicit(value, memory_order_acquire);
      if (wanted ? now == wanted : now != old) return 1;
      spar_pause();
    }
  } while (spar_now() < end);
  return 0;
}

static void *leader_main(void *p) {
  leader *self = p;
  spar_teams *teams = self->teams;
  for (uint64_t seen = 0;;) {
    if (!spin_until(teams, &self->posted, seen, 0)) {
      pthread_mutex_lock(&teams->mutex);
      /* As in team.c: counted before the mailbox is read, and the caller posts before it counts. */
      atomic_fetch_add(&teams->sleepers, 1);
      while (atomic_load(&self->posted) == seen && !atomic_load(&teams->stop))
        pthread_cond_wait(&teams->work, &teams->mutex);
      atomic_fetch_sub(&teams->sleepers, 1);
      pthread_mutex_unlock(&teams->mutex);
    }
    const uint64_t job = atomic_load(&self->posted);
    if (job == seen) return NULL; /* woken to stop */
    teams->fn(teams->arg, self->index);
    seen = job;
    atomic_store(&self->done, job);
    if (atomic_load(&teams->caller_sleeps)) {
      pthread_mutex_lock(&teams->mutex);
      pthread_cond_signal(&teams->finished);
      pthread_mutex_unlock(&teams->mutex);
    }
  }
}

static void wait_for(spar_teams *teams, leader *l, uint64_t job) {
  if (atomic_load(&l->done) == job || spin_until(teams, &l->done, 0, job)) return;
  pthread_mutex_lock(&teams->mutex);
  atomic_store(&teams->caller_sleeps, 1);
  while (atomic_load(&l->done) != job) pthread_cond_wait(&teams->finished, &teams->mutex);
  atomic_store(&teams->caller_sleeps, 0);
  pthread_mutex_unlock(&teams->mutex);
}

void spar_teams_each(spar_teams *teams, team_job fn, void *arg) {
  if (atomic_flag_test_and_set_explicit(&teams->busy, memory_order_acquire)) {
    for (int32_t i = 0; i < teams->count; i++) fn(arg, i);
    return;
  }
  teams->fn = fn;
  teams->arg = arg;
  const uint64_t job = ++teams->job;
  for (int32_t i = 1; i < teams->count; i++) atomic_store(&teams->leaders[i].posted, job);
  if (atomic_load(&teams->sleepers) > 0) {
    pthread_mutex_lock(&teams->mutex);
    pthread_cond_broadcast(&teams->work);
    pthread_mutex_unlock(&teams->mutex);
  }
  fn(arg, 0);
  for (int32_t i = 1; i < teams->count; i++) wait_for(teams, &teams->leaders[i], job);
  atomic_flag_clear_explicit(&teams->busy, memory_order_release);
}

/* ---- all as one ---- */

typedef struct joined_loop {
  spar_teams *teams;
  spar_team_fn fn;
  void *arg;
  int64_t n, grain, slices;
} joined_loop;

typedef struct share {
  const joined_loop *loop;
  int64_t begin;
  int32_t first;
} share;

static void run_share(void *p, int64_t begin, int64_t end, int32_t worker) {
  const share *s = p;
  s->loop->fn(s->loop->arg, s->begin + begin, s->begin + end, s->first + worker);
}

static void lead_share(void *p, int32_t team) {
  const joined_loop *loop = p;
  const leader *l = &loop->teams->leaders[team];
  const int64_t before = loop->slices * l->first / loop->teams->threads;
  const int64_t after = loop->slices * (l->first + l->threads) / loop->teams->threads;
  share s = {.loop = loop, .begin = before * loop->grain, .first = l->first};
  const int64_t end = after == loop->slices ? loop->n : after * loop->grain;
  spar_team_for(l->team, end - s.begin, loop->grain, run_share, &s);
}

void spar_teams_for(spar_teams *teams, int64_t n, int64_t grain, int64_t slices, spar_team_fn fn,
                    void *arg) {
  joined_loop loop = {teams, fn, arg, n, grain, slices};
  spar_teams_each(teams, lead_share, &loop);
}

/* ---- life ---- */

static int start_leader(leader *l, const cpu_set_t *cores) {
  sigset_t every, before;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (cores) pthread_attr_setaffinity_np(&attributes, sizeof *cores, cores);
  sigfillset(&every); /* handlers belong to the program's own threads */
  pthread_sigmask(SIG_SETMASK, &every, &before);
  const int failed = pthread_create(&l->thread, &attributes, leader_main, l);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return !failed;
}

spar_teams *spar_teams_create(int32_t count, const spar_team_place *places) {
  spar_teams *teams = aligned_alloc(64, sizeof(spar_teams));
  leader *leaders = aligned_alloc(64, sizeof(leader) * (size_t)count);
  if (!teams || !leaders) {
    free(teams);
    free(leaders);
    return NULL;
  }
  *teams = (spar_teams){.count = count, .leaders = leaders};
  atomic_flag_clear(&teams->busy);
  pthread_mutex_init(&teams->mutex, NULL);
  pthread_cond_init(&teams->work, NULL);
  pthread_cond_init(&teams->finished, NULL);
  for (int32_t i = 0; i < count; i++) {
    leaders[i] = (leader){.teams = teams, .index = i, .threads = places[i].threads,
                          .first = teams->threads};
    teams->threads += places[i].threads;
  }
  teams->spins = teams->threads <= spar_usable_cores();
  int complete = (teams->all = spar_team_joining(teams, teams->threads)) != NULL;
  for (int32_t i = 0; i < count && complete; i++) {
    leaders[i].team = spar_team_on(places[i].threads, places[i].cores, teams->spins);
    complete = leaders[i].team && (i == 0 || start_leader(&leaders[i], places[i].cores));
    if (complete) teams->started = i + 1;
  }
  if (complete) return teams;
  spar_teams_destroy(teams);
  return NULL;
}

void spar_teams_destroy(spar_teams *teams) {
  if (!teams) return;
  pthread_mutex_lock(&teams->mutex);
  atomic_store(&teams->stop, 1);
  pthread_cond_broadcast(&teams->work);
  pthread_mutex_unlock(&teams->mutex);
  for (int32_t i = 1; i < teams->started; i++) pthread_join(teams->leaders[i].thread, NULL);
  for (int32_t i = 0; i < teams->count; i++) spar_team_destroy(teams->leaders[i].team);
  spar_team_destroy(teams->all);
  pthread_cond_destroy(&teams->work);
  pthread_cond_destroy(&teams->finished);
  pthread_mutex_destroy(&teams->mutex);
  free(teams->leaders);
  free(teams);
}

spar_team *spar_teams_one(const spar_teams *teams, int32_t team) {
  return teams->leaders[team].team;
}

spar_team *spar_teams_all(const spar_teams *teams) { return teams->all; }
