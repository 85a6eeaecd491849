/*
 * spar_threads.h - a team of threads for parallel loops of microseconds and more.
 *
 * Workers spin for a bounded time (about 50 us), then sleep on a condition variable; they never
 * spin when the team has more threads than the process may use cores.  Slices have exactly the
 * grain the caller names (the last may be short), so what a loop computes need not depend on the
 * number of threads; slices are handed out dynamically.
 */
#ifndef SPAR_THREADS_H
#define SPAR_THREADS_H

#include <stdint.h>

typedef struct spar_team spar_team;

/* One slice [begin, end) of a loop; worker is in [0, size). */
typedef void (*spar_team_fn)(void *arg, int64_t begin, int64_t end, int32_t worker);

/* A team of `threads` (the caller counts as one); NULL when memory or threads run out. */
spar_team *spar_team_create(int32_t threads);
void spar_team_destroy(spar_team *team);
int32_t spar_team_size(const spar_team *team);

/* Runs fn over [0, n) in slices of `grain`.  The caller takes part; returns when all slices are
 * done.  A call from inside a slice, or while another thread uses the team, runs inline. */
void spar_team_for(spar_team *team, int64_t n, int64_t grain, spar_team_fn fn, void *arg);

/* Cores this process may run on (its affinity mask). */
int32_t spar_usable_cores(void);

#endif
