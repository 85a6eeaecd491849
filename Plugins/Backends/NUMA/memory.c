/*
 * Memory with a home.  A buffer is cut into one contiguous share per node, in proportion to its
 * threads: for a weight [n, k] these are rows of the output, for activations rows of the batch.  A
 * cache is cut so several times over, that the slots in use, wherever they lie, fall to all nodes.
 * mbind() says where pages should go, and the node's own threads
 * touch them first, which alone suffices where mbind() is forbidden.
 */
#define _GNU_SOURCE
#include "numa_backend.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Below two pages a node there is nothing to divide: the host's own memory serves. */
enum { LEAST_PAGES_PER_NODE = 2, PAGES_PER_SLICE = 512, CACHE_ROUNDS = 8 };

static uint64_t page_size(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }

static long bind_to(void *p, uint64_t bytes, int mode, const unsigned long *nodes) {
  return syscall(SYS_mbind, p, bytes, mode, nodes, (unsigned long)MAX_NODES + 1, 0);
}

void numa_try_policy(numa_backend *self) {
  const uint64_t bytes = page_size();
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return;
  const unsigned long node = 1ul << self->map.node[0].id;
  if (bind_to(p, bytes, MPOL_PREFERRED, &node) != 0)
    snprintf(self->policy_error, sizeof self->policy_error, "%s", strerror(errno));
  munmap(p, bytes);
}

void numa_bind(const numa_backend *self, void *p, uint64_t bytes, int32_t node) {
  const unsigned long mask = 1ul << self->map.node[node].id;
  /* Where it is refused, the first touch decides. */
  if (!self->policy_error[0]) (void)bind_to(p, bytes, MPOL_PREFERRED, &mask);
}

int32_t numa_node_of(const numa_backend *self, const placed *p, uint64_t offset) {
  int32_t node = 0;
  offset %= p->round;
  while (node + 1 < self->map.count && offset >= p->share[node + 1]) node++;
  return node;
}

/* The bytes of round `begin` that belong to a node; 0 where the buffer ends before. */
static uint64_t piece(const placed *p, uint64_t begin, int32_t node) {
  const uint64_t from = begin + p->share[node], to = begin + p->share[node + 1];
  if (from >= p->bytes) return 0;
  return (to < p->bytes ? to : p->bytes) - from;
}

typedef struct touch_job {
  const numa_backend *self;
  const placed *p;
  volatile char *at;
} touch_job;

static void touch_pages(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const touch_job *j = arg;
  const uint64_t page = page_size();
  for (int64_t i = begin; i < end; i++) j->at[(uint64_t)i * page] = 0;
}

static void touch_share(void *arg, int32_t node) {
  touch_job j = *(const touch_job *)arg;
  for (uint64_t begin = 0; begin < j.p->bytes; begin += j.p->round) {
    j.at = j.p->base + begin + j.p->share[node];
    spar_team_for(j.self->node[node].team, (int64_t)(piece(j.p, begin, node) / page_size()),
                  PAGES_PER_SLICE, touch_pages, &j);
  }
}

static int set_policy(const numa_backend *self, placed *p) {
  unsigned long every = 0;
  for (int32_t i = 0; i < self->map.count; i++) {
    const unsigned long node = 1ul << self->map.node[i].id;
    every |= node;
    for (uint64_t at = 0; at < p->bytes && self->placement == PLACE_SPLIT; at += p->round) {
      const uint64_t bytes = piece(p, at, i);
      if (bytes && bind_to(p->base + at + p->share[i], bytes, MPOL_PREFERRED, &node) != 0) return 0;
    }
  }
  return self->placement == PLACE_SPLIT ||
         bind_to(p->base, p->bytes, MPOL_INTERLEAVE, &every) == 0;
}

/* Cuts by the bytes asked for, not by whole pages. */
static void cut(const numa_backend *self, placed *p, uint64_t bytes) {
  const int32_t count = self->map.count;
  const uint64_t page = page_size();
  const uint64_t rounds = p->usage == SPAR_BUF_KV_CACHE ? CACHE_ROUNDS : 1;
  p->round = p->bytes;
  if (rounds > 1 && p->bytes / page >= rounds * LEAST_PAGES_PER_NODE * (uint64_t)count) {
    p->round = (p->bytes / page + rounds - 1) / rounds * page;
    bytes = p->round;
  }
  for (int32_t i = 1; i < count; i++)
    p->share[i] = bytes * (uint64_t)self->first[i] / (uint64_t)self->first[count] / page * page;
  p->share[count] = p->round;
}

spar_status numa_buffer_alloc(void *me, uint64_t bytes, uint32_t usage, spar_buffer *out) {
  numa_backend *self = me;
  const uint64_t page = page_size(), pages = (bytes + page - 1) / page;
  if (!self->teams || pages < LEAST_PAGES_PER_NODE * (uint64_t)self->map.count)
    return SPAR_UNSUPPORTED;
  placed *p = calloc(1, sizeof *p);
  void *base = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!p || base == MAP_FAILED) {
    free(p);
    if (base != MAP_FAILED) munmap(base, pages * page);
    self->host->set_error(self->host, "numa: no memory for a buffer; use smaller batches");
    return SPAR_E_NOMEM;
  }
  *p = (placed){.base = base, .asked = bytes, .bytes = pages * page, .usage = usage};
  cut(self, p, bytes);
  p->known_by_policy = (uint32_t)set_policy(self, p);
  touch_job j = {.self = self, .p = p};
  /* The caller leads team 0: without a policy it must not be moved away while it touches. */
  cpu_set_t before;
  const int pinned = !p->known_by_policy && sched_getaffinity(0, sizeof before, &before) == 0 &&
                     sched_setaffinity(0, sizeof before, &self->map.node[0].cores) == 0;
  spar_teams_each(self->teams, touch_share, &j);
  if (pinned) sched_setaffinity(0, sizeof before, &before);
  pthread_mutex_lock(&self->mutex);
  p->next = self->buffers;
  if (p->next) p->next->before = p;
  self->buffers = p;
  pthread_mutex_unlock(&self->mutex);
  *out = (spar_buffer){.handle = p, .host = base, .bytes = bytes};
  return SPAR_OK;
}

void numa_buffer_free(void *me, spar_buffer *b) {
  numa_backend *self = me;
  placed *p = b->handle;
  pthread_mutex_lock(&self->mutex);
  if (p->before) p->before->next = p->next;
  else self->buffers = p->next;
  if (p->next) p->next->before = p->before;
  pthread_mutex_unlock(&self->mutex);
  numa_free_copies(p);
  munmap(p->base, p->bytes);
  free(p);
}
