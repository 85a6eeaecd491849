/*
 * Attention by tiles: what the forward and the backward pass share.
 *
 * Lanes are queries: (row i, head g of the group that shares a key head), row-major, up to one
 * panel of them.  A tile sees its keys once, in the order prefix, own; scores of all of them stay
 * in the worker's scratch ([keys][lanes]), so that there is no running maximum to rescale and a
 * query's bits do not depend on tiles, batch or cache.
 */
#ifndef SPAR_OPERATIONS_ATTENTION_H
#define SPAR_OPERATIONS_ATTENTION_H

#include "backend.h"

enum {
  MAX_PANEL = 48,
  FEW_LANES = 8 /* a tile of so few queries (decoding) reads keys and values where they lie */
};

typedef struct heads { /* [T, H, D] */
  float *p;
  int64_t T, H, D, row, head; /* strides in elements */
} heads;

typedef struct attention_job {
  backend *self;
  heads q, k, v, o, d_o, dq, dk, dv;
  float *lse;
  int64_t lse_row;
  const int64_t *q_begin, *q_len, *k_begin, *k_len, *prefix_begin, *prefix_len;
  int64_t n_seq, window, group; /* query heads per key head */
  int64_t max_keys;
  float scale, softcap;
  int32_t causal, accumulate;
  int64_t *first_task; /* [n_seq + 1], forward */
  int64_t parts;       /* backward: shares of a key head's tiles */
  float *partial;      /* backward: dk, dv per (key head, part): [2][Tk][D] */
} attention_job;

/* The queries of one tile and the keys they see. */
typedef struct query_tile {
  int64_t span, kv_head, lanes, width; /* width: whole vectors */
  int64_t begin, end; /* keys, counted prefix first; [begin, end) holds all that any lane sees */
  int64_t prefix;     /* how many keys are the prefix's */
  int32_t first[MAX_PANEL], last[MAX_PANEL]; /* lane l sees [first, last), from `begin` */
  int64_t q_row[MAX_PANEL], q_head[MAX_PANEL];
} query_tile;

spar_status attention_job_of(backend *self, const spar_attention_args *a, int backward,
                             attention_job *job);
int heads_of(const spar_tensor *t, heads *h);
int same_shape(const heads *a, const heads *b);
int64_t tiles_of(const attention_job *j, int64_t span);
void tile_at(const attention_job *j, int64_t span, int64_t kv_head, int64_t index, query_tile *t);

/* The tile's rows of h as a panel [D][width]. */
void pack_lanes(const attention_job *j, const query_tile *t, const heads *h, float *panel);
/* s[key][lane] = panel . rows of h, for the tile's keys */
void scores(const attention_job *j, const query_tile *t, const heads *h, const float *panel,
            float *s);
/* out[lane][D] = sum over keys of s[key][lane] * row of h; strips: h's rows of this span as
 * pack_span makes them. */
void weighted_rows(const attention_job *j, const query_tile *t, const heads *h,
                   const float *strips, int64_t strip_keys, const float *s, float *out);
/* Packs h's rows of the span, prefix then own, as strips of its first `keys` keys. */
void pack_span(const attention_job *j, int64_t span, int64_t kv_head, const heads *h, int64_t keys,
               float *rows, float *strips);

/* rows[lane][row_width(D)] = h's rows, zeros behind them and in lanes beyond the tile's. */
void gather_lanes(const attention_job *j, const query_tile *t, const heads *h, float *rows);
/* d[key][D] += sum over lanes of p[key][lane] rows[lane][row_width(D)], at the tile's key rows. */
void add_keys(const attention_job *j, const query_tile *t, const float *p, const float *rows,
              float *d);
/* The tile's queries' gradients from out[lane][D]. */
void write_query_gradients(const attention_job *j, const query_tile *t, const float *out);
/* The tile's outputs: out[lane][D] * inverse[lane], and lse. */
void write_queries(const attention_job *j, const query_tile *t, const float *out, const float *lse,
                   const float *inverse);

/* Gradients that several tasks add to: share (head h, part) of `parts` a head begins at (h parts +
 * part) `size`, and in it row 0 of `to` at `offset`. */
typedef struct gradient_shares {
  const float *first;
  int64_t parts, size;
} gradient_shares;

/* Enough tasks to keep a few cores evenly busy with three key heads. */
enum { LEAST_TASKS = 8, REDUCE_ROWS = 32 };

/* Sums the shares of rows [begin, end) of `to`, and accumulates if the job does. */
void sum_shares(const attention_job *j, gradient_shares from, int64_t offset, const heads *to,
                int64_t begin, int64_t end);
/* dq = 0, by rows; arg is the job. */
void clear_queries(void *arg, int64_t begin, int64_t end, int32_t worker);

/* A head's row in whole vectors. */
static inline int64_t row_width(const attention_job *j) {
  return blocks(j->q.D, j->self->kernels->lanes) * j->self->kernels->lanes;
}
/* Head sizes above one panel are cut into equal runs of vectors. */
static inline int64_t head_run(const attention_job *j) {
  const spar_kernels *f = j->self->kernels;
  const int64_t width = row_width(j), vectors = width / f->lanes;
  return blocks(vectors, blocks(width, f->panel_lanes)) * f->lanes;
}

static inline int64_t prefix_of(const attention_job *j, int64_t span) {
  return j->prefix_len ? j->prefix_len[span] : 0;
}
static inline const float *key_row(const attention_job *j, int64_t span, const heads *h,
                                   int64_t kv_head, int64_t key) {
  const int64_t prefix = prefix_of(j, span);
  const int64_t row = key < prefix ? j->prefix_begin[span] + key : j->k_begin[span] + key - prefix;
  return h->p + row * h->row + kv_head * h->head;
}

#endif
