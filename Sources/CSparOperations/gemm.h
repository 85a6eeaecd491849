/* One product under way: what its files share. */
#ifndef SPAR_OPERATIONS_GEMM_H
#define SPAR_OPERATIONS_GEMM_H

#include "backend.h"

enum {
  K_BLOCK = 2048,      /* in whole blocks of every stored type */
  STORED_COLUMNS = 128 /* a panel's columns of a stored row, widened to whole blocks */
};

typedef struct matrix_job {
  backend *self;
  const float *A, *B, *bias;
  float *C;
  int64_t m, n, k, lda, ldb, ldc;
  int32_t trans_a, trans_b;
  float alpha, beta;
  int64_t k0, kb; /* the block of k at work */
  int64_t part;   /* rows of W per slice */
  float *packed;
  int32_t stored;    /* B's type where it is not f32; B is then only an address */
  int64_t row_bytes; /* of such a B */
} matrix_job;

static inline spar_epilogue epilogue(const matrix_job *j, int32_t transposed) {
  const int first = j->k0 == 0;
  return (spar_epilogue){.alpha = j->alpha, .beta = first ? j->beta : 1.f,
                         .bias = first ? j->bias : NULL, .transposed = transposed};
}

static inline int64_t lanes_of(int64_t n, int64_t panel, int64_t width) {
  return least(n - panel * width, width);
}

/* y = x W^T for a stored W. */
spar_status stored_nt(matrix_job *j);
/* The same, f32 W included, with x and W rounded to 8 bits, where the instance was asked for that
 * and k is whole blocks. */
int takes_int8(const matrix_job *j);
spar_status int8_nt(matrix_job *j);
/* panel[t][l] = W[k0 + t][col + l]; STORED_COLUMNS floats behind the panel's kb rows are scratch. */
void pack_stored(const matrix_job *j, float *panel, int64_t col, int64_t lanes);

#endif
