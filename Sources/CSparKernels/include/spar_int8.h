/*
 * spar_int8.h - products of x with weights in whole numbers: both are rounded to 8 bits.
 *
 * Blocks of 32 along k have a scale each: sum over blocks of dx dw (sum of qx qw), in the order of
 * blocks.  A row's bits depend on that row and on W alone.  Not the f32 product: |x - dx qx| is up
 * to 1/254 of the largest |x| of its block.
 */
#ifndef SPAR_INT8_H
#define SPAR_INT8_H

#include "spar_kernels.h"

/* One block of a row of W. */
typedef struct spar_int8_block {
  float scale;
  int32_t offset; /* -128 times the sum of q: x is kept as q + 128 */
  int8_t q[32];
} spar_int8_block;

/* A panel of `width` rows of x, whole vectors of at most 48: q + 128 of 4 values of k side by side,
 * [k / 4][width][4], and scales [k / 32][width]. */
typedef struct spar_int8_panel {
  uint8_t *q;
  float *scale;
  int64_t width;
} spar_int8_panel;

typedef struct spar_int8_kernels {
  int32_t lanes, panel_lanes;
  /* k in whole blocks */
  void (*pack)(const spar_int8_panel *panel, const float *a, int64_t lda, int64_t rows, int64_t k);
  /* n weights of type SPAR_Q8_0 or SPAR_Q4_0, in whole blocks: exactly */
  void (*unpack)(int32_t dtype, int64_t n, const void *w, spar_int8_block *out);
  /* n weights in f32, in whole blocks: rounded to 8 bits, scale = largest / 127 */
  void (*round)(int64_t n, const float *w, spar_int8_block *out);
  /* c[l][j], `rows` rows of W that stand k / 32 blocks apart; e is transposed */
  void (*product)(int64_t k, int64_t lanes, int64_t rows, const spar_int8_panel *panel,
                  const spar_int8_block *w, float *c, int64_t ldc, const spar_epilogue *e);
} spar_int8_kernels;

/* NULL where the processor has no AVX-512 VNNI. */
const spar_int8_kernels *spar_int8_kernels_here(void);

#endif
