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

/* ---- several teams, each on cores of its own: one per memory node ---- */

typedef struct spar_teams spar_teams;

typedef struct spar_team_place {
  int32_t threads;   /* at least 1 */
  const void *cores; /* the cpu_set_t its threads may run on; NULL: any */
} spar_team_place;

/* Team 0 is led by whoever calls, on whatever core that thread is; each other has a leader of its
 * own.  NULL when memory or threads run out, or the cores are not this process's. */
spar_teams *spar_teams_create(int32_t count, const spar_team_place *places);
void spar_teams_destroy(spar_teams *teams);

/* Runs fn once on each team, all at the same time; inside, spar_team_for(spar_teams_one(teams, i))
 * is a loop on the team's own threads.  Returns when all are done. */
void spar_teams_each(spar_teams *teams, void (*fn)(void *arg, int32_t team), void *arg);
spar_team *spar_teams_one(const spar_teams *teams, int32_t team);

/* All threads as one team.  Each team takes a contiguous share of a loop's slices, in proportion to
 * its threads: so the same part of an array is always the same team's.  A loop from inside a slice
 * runs inline as worker 0 of its team; it must not use the worker's number. */
spar_team *spar_teams_all(const spar_teams *teams);

/* Cores this process may run on (its affinity mask). */
int32_t spar_usable_cores(void);

#endif
