/* What one team and several joined ones share. */
#ifndef SPAR_TEAM_H
#define SPAR_TEAM_H

#include "spar_threads.h"

#include <sched.h>
#include <time.h>

/* Longer than the pause between two operations in decoding, far shorter than a time slice. */
enum { SPIN_NANOSECONDS = 50000, PAUSES_PER_CLOCK_READ = 16 };

static inline void spar_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static inline int64_t spar_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A team whose workers may run on `cores` only (NULL: any). */
spar_team *spar_team_on(int32_t threads, const cpu_set_t *cores, int32_t spins);
/* A team that is several: loops go to spar_teams_for(). */
spar_team *spar_team_joining(spar_teams *teams, int32_t threads);
void spar_teams_for(spar_teams *teams, int64_t n, int64_t grain, int64_t slices, spar_team_fn fn,
                    void *arg);

#endif
