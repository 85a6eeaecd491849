/*
 * The numa backend's instance.
 *
 * Every node has a team of threads pinned to its cores and an instance of the shared operations
 * whose scratch its own threads touch first.  `all` is the same threads as one team.  On one node
 * (or where placement cannot work) there is `all` alone, on an ordinary team.
 */
#ifndef SPAR_NUMA_BACKEND_H
#define SPAR_NUMA_BACKEND_H

#include "spar_operations.h"
#include "topology.h"

#include <pthread.h>

enum { PLACE_SPLIT, PLACE_INTERLEAVE, PLACE_OFF };

/* Memory that buffer_alloc() gave out: rounds of `round` bytes (the last may be short), in each of
 * which node i holds bytes [share[i], share[i + 1]).  All but caches have one round. */
typedef struct placed {
  struct placed *next, *before;
  char *base;
  uint64_t asked;        /* bytes */
  uint64_t bytes, round; /* whole pages */
  uint32_t usage, known_by_policy; /* mbind took it: its pages stand in mappings of their own */
  uint64_t share[MAX_NODES + 1];
  char *copy[MAX_NODES]; /* of a small weight, on every node; NULL: none yet */
  int32_t copies_fresh;
} placed;

typedef struct numa_backend {
  const spar_host *host;
  topology map; /* the nodes in use; count 1: one team */
  int32_t placement;
  uint64_t replicate_below;
  char why_one[160]; /* why there is one team */
  char policy_error[96]; /* why mbind does not work; "" if it does */
  spar_teams *teams; /* NULL with one team */
  spar_team *plain;  /* the one team otherwise */
  spar_cpu all;
  spar_cpu node[MAX_NODES];
  int32_t first[MAX_NODES + 1]; /* threads in the nodes before */
  int64_t *spans; /* attention's arrays, sorted by node */
  uint64_t spans_bytes;
  uint64_t spans_seen, spans_home; /* with keys in a placed cache; on its node */
  pthread_mutex_t mutex; /* guards `buffers`: tensors end on any thread */
  placed *buffers;
} numa_backend;

spar_status numa_gemm(void *self, const spar_gemm_args *raw);
spar_status numa_attention(void *self, const spar_attention_args *raw);

spar_status numa_buffer_alloc(void *self, uint64_t bytes, uint32_t usage, spar_buffer *out);
void numa_buffer_free(void *self, spar_buffer *b);
spar_status numa_buffer_write(void *self, spar_buffer *b, uint64_t offset, const void *src,
                              uint64_t n);

/* The tensor with its data in each node's copy of its weight: copies[i] for node i.  False, and
 * nothing done, for what has no copies: see replicate-below. */
int numa_copies(numa_backend *self, const spar_tensor *weight, const float **copies);
void numa_free_copies(placed *p);
/* An operation writes `output`: copies of it are old. */
static inline void numa_wrote(const spar_tensor *output) {
  if (output && output->buffer) ((placed *)output->buffer)->copies_fresh = 0;
}

/* Asks the kernel whether memory may be bound to nodes, and keeps its answer. */
void numa_try_policy(numa_backend *self);
/* Which node holds the byte. */
int32_t numa_node_of(const numa_backend *self, const placed *p, uint64_t offset);

/* Prefers `node` for whole pages that nobody has touched yet. */
void numa_bind(const numa_backend *self, void *p, uint64_t bytes, int32_t node);

/* The calling thread, if it stands on another node's core, goes to node 0. */
void numa_steer(const numa_backend *self);

spar_status numa_describe(void *self, uint64_t flags, spar_placement_row_fn row, void *arg);
/* Best rate in bytes/s at which node `cores` reads memory of node `holder`; 0 if it cannot. */
double numa_bandwidth(numa_backend *self, int32_t cores, int32_t holder);

#endif
