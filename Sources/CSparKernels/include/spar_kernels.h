/*
 * spar_kernels.h - float32 kernels for one core, compiled for several instruction sets.
 *
 * All work on plain row-major memory, none allocates, threads or fails.  Sizes may be 0.  The bits
 * of an element depend on its own operands and on shapes, never on its neighbours.
 */
#ifndef SPAR_KERNELS_H
#define SPAR_KERNELS_H

#include <stdint.h>

/* D[j][l] = sum over t < k, in order, of b[j, t] * panel[t][l], for j < rows, l < lanes.
 * b[j, t] stands at b[j / tile_rows * group_step + j % tile_rows * row_step + t * t_step];
 * for a plain matrix group_step = tile_rows * row_step.  lanes <= panel_lanes; the panel's rows
 * stand panel_step apart and hold `lanes` rounded up to whole vectors. */
typedef struct spar_product {
  int64_t k, lanes, rows;
  const float *panel, *b;
  int64_t panel_step, group_step, row_step, t_step;
} spar_product;

/* c = alpha D + beta c + bias; transposed: c[l][j], bias by j; else c[j][l], bias by l. */
typedef struct spar_epilogue {
  float alpha, beta;
  const float *bias;
  int32_t transposed;
} spar_epilogue;

/* x[m][k], m <= 8, with `rows` rows of stored weights, row_bytes apart; any alignment. */
typedef struct spar_few_stored {
  int64_t k, m, rows;
  const float *x;
  int64_t ldx;
  const void *w;
  int64_t row_bytes;
  int32_t dtype;
} spar_few_stored;

/* One optimizer step over n elements; formulas in spar_plugin.h.  kind is SPAR_OPT_*. */
typedef struct spar_step {
  uint32_t kind;
  float lr, beta1, beta2, eps, weight_decay, momentum, grad_scale;
  float correction1, correction2; /* 1 / (1 - beta^step), of AdamW */
} spar_step;

/* Softmax over keys in columns: s[t][l] with rows `width` apart.  Lane l sees keys first[l] <= t
 * < end[l]. */
typedef struct spar_columns {
  int64_t keys, width; /* width: whole vectors */
  const int32_t *first, *end;
  float scale, softcap;
} spar_columns;

/* Running state of a softmax over a vocabulary, one per lane. */
typedef struct spar_vocab_state {
  float *max, *sum, *weighted, *squares; /* sum e^(z-max), of (z-max) e^(z-max), of e^2(z-max) */
} spar_vocab_state;

/* Products of queries and keys with tables of relative positions.  Key t and lane l are `first` +
 * l - t apart; that distance's row is up[distance] = -down[-distance], never decreasing, valid
 * within keys + width + a vector to both sides.
 * by_query[l * query_step - row] and by_key[t * key_step + row] are lane l's and key t's products
 * with the row; NULL: without them.  Vectors are read whole: rows of the vectors' tails exist, and
 * a vector behind the last. */
typedef struct spar_relative {
  int64_t keys, width, first;
  const int32_t *up, *down;
  float *by_query, *by_key;
  int64_t query_step, key_step;
} spar_relative;

typedef struct spar_kernels {
  const char *name;
  int32_t lanes, panel_lanes, tile_rows;

  void (*product)(const spar_product *a, float *c, int64_t ldc, const spar_epilogue *e);
  /* panel[t][l] = a[index[l]][t] (index NULL: l) */
  void (*pack_rows)(float *panel, const float *a, int64_t lda, const int32_t *index, int64_t rows,
                    int64_t k);
  /* panel[t][l] = b[t][l] */
  void (*pack_columns)(float *panel, const float *b, int64_t ldb, int64_t k, int64_t columns);
  /* strips[j / tile_rows][t][j % tile_rows] = b[t][j] */
  void (*pack_strips)(float *strips, const float *b, int64_t ldb, int64_t k, int64_t columns);
  /* y[n]: weights stored as SPAR_F16, BF16, Q8_0, Q4_0 or Q4_1, exactly; n in whole blocks, x at
   * any alignment. */
  void (*decode)(int32_t dtype, int64_t n, const void *x, float *y);
  /* c[l][j] (transposed epilogue) with the bits of product() over decoded rows; NULL where that is
   * as good. */
  void (*few_stored)(const spar_few_stored *a, float *c, int64_t ldc, const spar_epilogue *e);
  /* Attention of at most 8 queries, scores as s[l][key] with rows `lane_step` apart; the bits are
   * those of product() and attend().  few_scores may be NULL; it wants D in whole vectors. */
  void (*few_scores)(int64_t keys, int64_t lanes, int64_t D, const float *q, int64_t ldk,
                     const float *k, int64_t lane_step, float *s);
  void (*few_attend)(const spar_columns *c, int64_t lanes, int64_t lane_step, float *s, float *lse,
                     float *inverse);
  /* out[l][D] (+)= sum over t < k, in order, of s[l][t] * v[t][D]; rows of v ldv apart */
  void (*few_rows)(int64_t k, int64_t lanes, int64_t lane_step, const float *s, int64_t D,
                   int64_t ldv, const float *v, int accumulate, float *out);

  /* One row of C; mean may be NULL for RMS. */
  void (*rms_norm)(int64_t C, const float *x, const float *w, const float *b, float eps, float *y,
                   float *rstd);
  void (*layer_norm)(int64_t C, const float *x, const float *w, const float *b, float eps, float *y,
                     float *mean, float *rstd);
  /* dweight, dbias accumulate; any of the outputs may be NULL. */
  void (*norm_bwd)(int64_t C, const float *x, const float *w, const float *dy, int centred,
                   float mean, float rstd, int accumulate, float *dx, float *dweight,
                   float *dbias);
  /* x1, x2: the two halves (or pairs, interleaved) of one head. sign = -1: inverse */
  void (*rope)(int64_t half, int interleaved, float *x, const float *cos, const float *sin,
               float sign);
  void (*softmax)(int64_t C, const float *x, const float *mask, float scale, float *y);
  void (*softmax_bwd)(int64_t C, const float *y, const float *dy, float scale, float *dx);
  /* lse of scale * x; entropy may be NULL */
  void (*log_sum_exp)(int64_t C, const float *x, float scale, float *lse, float *entropy);
  /* dx = coef * scale * (onehot(target) - e^(scale x - lse)) */
  void (*logp_bwd)(int64_t C, const float *x, float scale, float lse, float coef, int64_t target,
                   float *dx);

  void (*activation)(uint32_t kind, int64_t n, const float *x, const float *gate, float *y);
  void (*activation_bwd)(uint32_t kind, int64_t n, const float *x, const float *gate,
                         const float *dy, float *dx, float *dgate);
  void (*axpby)(int64_t n, float alpha, const float *x, float beta, const float *z, float *y);
  void (*multiply)(int64_t n, float alpha, const float *x, const float *z, float *y);
  void (*add)(int64_t n, const float *x, float *y); /* y += x */
  void (*fill)(int64_t n, float value, float *y);
  void (*scale)(int64_t n, float a, const float *x, float *y);
  double (*sum)(int64_t n, const float *x);
  double (*sum_of_squares)(int64_t n, const float *x);
  float (*maximum)(int64_t n, const float *x); /* -inf for n = 0; NaN if any is */
  float (*dot)(int64_t n, const float *x, const float *y);
  void (*optimize)(const spar_step *s, int64_t n, float *p, float *m, float *v, const float *g);

  /* s <- e^(cap(scale s) - max) where seen, 0 elsewhere; lse[l]; inverse[l] = 1 / sum. */
  void (*attend)(const spar_columns *c, float *s, float *lse, float *inverse);
  /* From raw scores s and dp: p <- e^(cap(scale s) - lse), ds = p (dp - delta) scale cap'. */
  void (*attend_bwd)(const spar_columns *c, float *s, float *dp, const float *lse,
                     const float *delta);
  /* Folds logits z[rows][width] into the state; target[l] - first_row in [0, rows) is picked
   * into picked[l].  z is overwritten. */
  void (*vocab)(int64_t rows, int64_t width, float scale, float softcap, int64_t first_row,
                const int32_t *target, float *z, const spar_vocab_state *s, float *picked);
  /* z <- coef (onehot - e^(z' - lse)) scale cap', z' = cap(scale z) */
  void (*vocab_bwd)(int64_t rows, int64_t width, float scale, float softcap, int64_t first_row,
                    const int32_t *target, const float *lse, const float *coef, float *z);
  /* s[t][l] += by_query + by_key, rows of s `width` apart. */
  void (*relative_add)(const spar_relative *c, float *s);
  /* Its transpose: each ds[t][l] is added to its elements of by_query and by_key. */
  void (*relative_fold)(const spar_relative *c, const float *ds);
} spar_kernels;

/* up[d] = bucket[reach + d], d limited to -reach ..= reach, and down[-d] = -up[d], for -most <= d
 * <= most: both arrays have `most` elements before the pointer. */
void spar_relative_rows(const int32_t *bucket, int64_t reach, int64_t most, int32_t *up,
                        int32_t *down);

/* The best set this processor runs; `name` ("avx512", "avx2", "portable") asks for that one or
 * less, NULL for the best. */
const spar_kernels *spar_kernels_for(const char *name);

#endif
