/* How the operations see an instance and its tensors. */
#ifndef SPAR_OPERATIONS_BACKEND_H
#define SPAR_OPERATIONS_BACKEND_H

#include "spar_operations.h"

typedef spar_cpu backend;

/* Grow-only, 64-byte aligned, contents undefined; NULL (and the error set) without memory. */
void *shared_scratch(backend *self, int32_t slot, uint64_t bytes);
/* Makes local_scratch() hold at least `bytes` for every worker. */
spar_status reserve_local(backend *self, uint64_t bytes);
static inline void *local_scratch(const backend *self, int32_t worker) {
  return self->local[worker].p;
}

/* Sets the error to the instance's name and `text`. */
spar_status fail(backend *self, spar_status status, const char *text);

static inline int64_t blocks(int64_t n, int64_t size) { return (n + size - 1) / size; }
static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static inline int64_t elements(const spar_tensor *t) {
  int64_t n = 1;
  for (int32_t i = 0; i < t->rank; i++) n *= t->shape[i];
  return n;
}

static inline int is_f32(const spar_tensor *t) {
  return t && t->dtype == SPAR_F32 && t->rank >= 0 && t->rank <= SPAR_MAX_RANK &&
         (t->data || elements(t) == 0);
}
static inline int is_f32_or_absent(const spar_tensor *t) { return !t || is_f32(t); }

/* A matrix of weights in a type that kernels->decode() knows. */
static inline int is_stored(const spar_tensor *t) {
  return t && t->rank == 2 && (t->data || elements(t) == 0) &&
         (t->dtype == SPAR_F16 || t->dtype == SPAR_BF16 || t->dtype == SPAR_Q8_0 ||
          t->dtype == SPAR_Q4_0 || t->dtype == SPAR_Q4_1);
}

/* A tensor as rows of its last axis, whatever its outer strides. */
typedef struct row_view {
  char *p;
  int64_t rows, C;
  int64_t step;              /* bytes between rows, if `even` */
  int64_t shape[2], stride[3]; /* inner two outer extents; byte strides of the outer axes */
  int32_t even, dense;       /* dense: one run of rows * C elements */
} row_view;

row_view rows_of(const spar_tensor *t);
/* The same tensor seen with `rows` rows: a z that broadcasts over outer axes. */
row_view broadcast_rows(const spar_tensor *t, const spar_tensor *like);

static inline void *row_at(const row_view *v, int64_t r) {
  if (v->even) return v->p + r * v->step;
  const int64_t i2 = r % v->shape[1], rest = r / v->shape[1];
  return v->p + rest / v->shape[0] * v->stride[0] + rest % v->shape[0] * v->stride[1] +
         i2 * v->stride[2];
}

static inline float *vector_of(const spar_tensor *t) { return t ? t->data : 0; }

/* Copies a foreign args struct of any age into a local one called `a`. */
#define ADOPT(TYPE, RAW) \
  TYPE a;                \
  spar_adopt(&a, sizeof a, RAW)

#endif
