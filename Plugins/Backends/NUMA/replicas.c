/*
 * Copies of small weights on every node.  They are made when a product first reads the weight, and
 * again when an operation or the host (through buffer_write) has written it since.
 */
#define _GNU_SOURCE
#include "numa_backend.h"

#include <sys/mman.h>

enum { COPY_SLICE = 1 << 16 };

void numa_free_copies(placed *p) {
  for (int32_t i = 0; i < MAX_NODES; i++)
    if (p->copy[i]) munmap(p->copy[i], p->bytes);
}

spar_status numa_buffer_write(void *me, spar_buffer *b, uint64_t offset, const void *src,
                              uint64_t n) {
  (void)me;
  placed *p = b->handle;
  p->copies_fresh = 0;
  if (src != p->base + offset) memmove(p->base + offset, src, n);
  return SPAR_OK;
}

typedef struct copy_job {
  const numa_backend *self;
  const placed *p;
  char *to;
} copy_job;

static void copy_slice(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const copy_job *j = arg;
  memcpy(j->to + begin, j->p->base + begin, (size_t)(end - begin));
}

static void copy_to(void *arg, int32_t node) {
  copy_job j = *(const copy_job *)arg;
  j.to = j.p->copy[node];
  spar_team_for(j.self->node[node].team, (int64_t)j.p->bytes, COPY_SLICE, copy_slice, &j);
}

static int reserve_copies(const numa_backend *self, placed *p) {
  for (int32_t i = 0; i < self->map.count; i++) {
    if (p->copy[i]) continue;
    void *at = mmap(NULL, p->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return 0;
    numa_bind(self, at, p->bytes, i);
    p->copy[i] = at;
  }
  return 1;
}

int numa_copies(numa_backend *self, const spar_tensor *weight, const float **copies) {
  placed *p = weight->buffer;
  if (!p || p->usage != SPAR_BUF_WEIGHTS || p->asked > self->replicate_below ||
      !reserve_copies(self, p))
    return 0;
  if (!p->copies_fresh) {
    copy_job j = {.self = self, .p = p};
    spar_teams_each(self->teams, copy_to, &j);
    p->copies_fresh = 1;
  }
  for (int32_t i = 0; i < self->map.count; i++)
    copies[i] = (const float *)(p->copy[i] + weight->offset);
  return 1;
}
