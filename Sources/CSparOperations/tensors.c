/* Tensors as rows, and the scratch memory of an instance. */
#include "backend.h"

#include <stdio.h>

row_view rows_of(const spar_tensor *t) {
  const int64_t size = (int64_t)spar_dtype_size(t->dtype);
  const int32_t outer = t->rank > 0 ? t->rank - 1 : 0;
  row_view v = {.p = t->data, .rows = 1, .C = t->rank ? t->shape[outer] : 1};
  v.shape[0] = v.shape[1] = 1;
  /* Outer axes stand right-aligned; missing ones have extent 1. */
  for (int32_t i = 0; i < outer; i++) {
    const int32_t at = 3 - outer + i;
    v.stride[at] = t->stride[i] * size;
    if (at > 0) v.shape[at - 1] = t->shape[i];
    v.rows *= t->shape[i];
  }
  const int64_t first = v.shape[0] * v.shape[1] ? v.rows / (v.shape[0] * v.shape[1]) : 0;
  const int joins21 = v.shape[0] == 1 || v.stride[1] == v.shape[1] * v.stride[2];
  const int64_t inner = v.shape[1] > 1 ? v.shape[1] * v.stride[2] : v.stride[1];
  const int joins10 = first <= 1 || (v.shape[0] > 1 ? v.stride[0] == v.shape[0] * v.stride[1]
                                                    : v.shape[1] > 1 ? v.stride[0] == inner : 1);
  v.even = joins21 && joins10;
  v.step = v.shape[1] > 1 ? v.stride[2] : v.shape[0] > 1 ? v.stride[1] : v.stride[0];
  if (v.rows <= 1) v.step = v.C * size;
  v.dense = v.even && v.step == v.C * size;
  return v;
}

row_view broadcast_rows(const spar_tensor *t, const spar_tensor *like) {
  spar_tensor full = *like;
  full.data = t->data;
  full.dtype = t->dtype;
  for (int32_t i = 0; i < like->rank; i++) {
    const int32_t j = i - (like->rank - t->rank);
    full.stride[i] = j < 0 || (t->shape[j] == 1 && like->shape[i] != 1) ? 0 : t->stride[j];
  }
  if (full.rank) full.stride[full.rank - 1] = 1;
  return rows_of(&full);
}

static int grow(backend *self, memory *m, uint64_t bytes) {
  if (m->bytes >= bytes) return 1;
  const spar_host *h = self->host;
  if (m->p) h->free(h, m->p, m->bytes, 64);
  /* An eighth more, so that slowly growing batches do not ask each time. */
  const uint64_t size = (bytes + bytes / 8 + 4095) & ~(uint64_t)4095;
  m->p = h->alloc(h, size, 64);
  m->bytes = m->p ? size : 0;
  if (!m->p) fail(self, SPAR_E_NOMEM, "no memory for scratch; use smaller batches");
  return m->p != NULL;
}

void *shared_scratch(backend *self, int32_t slot, uint64_t bytes) {
  return grow(self, &self->shared[slot], bytes ? bytes : 1) ? self->shared[slot].p : NULL;
}

spar_status reserve_local(backend *self, uint64_t bytes) {
  for (int32_t i = 0; i < self->threads; i++)
    if (!grow(self, &self->local[i], bytes ? bytes : 1)) return SPAR_E_NOMEM;
  return SPAR_OK;
}

spar_status fail(backend *self, spar_status status, const char *text) {
  char whole[256];
  snprintf(whole, sizeof whole, "%s: %s", self->name, text);
  self->host->set_error(self->host, whole);
  return status;
}

spar_status spar_cpu_init(spar_cpu *self, const spar_host *h, const char *name,
                          const spar_kernels *kernels, spar_team *team, blas_sgemm sgemm) {
  *self = (spar_cpu){.host = h, .name = name, .kernels = kernels, .team = team, .sgemm = sgemm,
                     .threads = spar_team_size(team)};
  self->local = h->alloc(h, sizeof(memory) * (uint64_t)self->threads, 64);
  if (!self->local) return fail(self, SPAR_E_NOMEM, "no memory for the instance");
  memset(self->local, 0, sizeof(memory) * (uint64_t)self->threads);
  return SPAR_OK;
}

void spar_cpu_release(spar_cpu *self) {
  const spar_host *h = self->host;
  for (int32_t i = 0; i < SLOT_COUNT; i++)
    if (self->shared[i].p) h->free(h, self->shared[i].p, self->shared[i].bytes, 64);
  if (!self->local) return;
  for (int32_t i = 0; i < self->threads; i++)
    if (self->local[i].p) h->free(h, self->local[i].p, self->local[i].bytes, 64);
  h->free(h, self->local, sizeof(memory) * (uint64_t)self->threads, 64);
}
