/* How fast the cores of one node read the memory of another. */
#define _GNU_SOURCE
#include "numa_backend.h"

#include <sys/mman.h>
#include <time.h>

enum { BYTES = 32 << 20, SLICE = 1 << 17, PASSES = 3 }; /* far more than a last-level share */

typedef struct read_job {
  numa_backend *self;
  uint64_t *words;
  int32_t cores, holder;
  double seconds;
  _Atomic uint64_t sum;
} read_job;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_words(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  read_job *j = arg;
  for (int64_t i = begin; i < end; i++) j->words[i] = (uint64_t)i;
}

static void read_words(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  read_job *j = arg;
  uint64_t s[8] = {0};
  for (int64_t i = begin; i + 8 <= end; i += 8)
    for (int k = 0; k < 8; k++) s[k] += j->words[i + k];
  for (int k = 0; k < 8; k++) j->sum += s[k];
}

static void touch_first(void *arg, int32_t node) {
  read_job *j = arg;
  if (node == j->holder)
    spar_team_for(j->self->node[node].team, BYTES / 8, SLICE, write_words, j);
}

static void time_reads(void *arg, int32_t node) {
  read_job *j = arg;
  if (node != j->cores) return;
  for (int pass = 0; pass < PASSES; pass++) {
    const double start = seconds();
    spar_team_for(j->self->node[node].team, BYTES / 8, SLICE, read_words, j);
    const double taken = seconds() - start;
    if (pass == 0 || taken < j->seconds) j->seconds = taken;
  }
}

double numa_bandwidth(numa_backend *self, int32_t cores, int32_t holder) {
  void *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return 0;
  read_job j = {.self = self, .words = p, .cores = cores, .holder = holder};
  if (self->teams) {
    numa_bind(self, p, BYTES, holder);
    spar_teams_each(self->teams, touch_first, &j);
    spar_teams_each(self->teams, time_reads, &j);
  } else {
    self->node[0].team = self->plain;
    touch_first(&j, 0);
    time_reads(&j, 0);
  }
  munmap(p, BYTES);
  return j.seconds > 0 ? BYTES / j.seconds : 0;
}
