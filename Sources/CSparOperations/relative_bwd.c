/*
 * Attention with relative positions, backward.  As attention_bwd.c, and for the tables
 *
 *   G[i][b] = sum of dS_ij over keys j whose distance has row b;  dQ += G PK;  dPK += G^T Q
 *   G'[j][b] = the same over queries i;                           dK += G' PQ; dPQ += G'^T K
 *
 * A task owns one head and every `parts`-th span; the shares are summed in order at the end.
 */
#include "relative.h"

enum { VECTOR = 16 };

typedef struct backward_job {
  relative_job r;
  int64_t parts;
  float *partial; /* per (head, part): dk, dv [T][D], then dpk, dpq [R][D] */
  int64_t table_length; /* R */
} backward_job;

typedef struct backward_scratch {
  float *q_panel, *o_panel, *q_rows, *o_rows, *out, *s, *dp, *rows, *strips;
  float *by_query, *to_query, *by_key, *to_key; /* products, and dS folded the same way */
  float *k_rows, *pk_rows, *pq_rows;            /* padded to whole vectors */
} backward_scratch;

static uint64_t backward_bytes(const relative_job *j) {
  const int64_t W = MAX_PANEL, D = row_width(&j->a), K = j->a.max_keys + 8, B = j->most_rows;
  return (uint64_t)(5 * W * D + 2 * K * W + K * (3 * D + 8) + 2 * (W + K) * B + 2 * B * D +
                    VECTOR) * 4;
}

static backward_scratch carve(const relative_job *j, float *p) {
  const int64_t W = MAX_PANEL, D = row_width(&j->a), K = j->a.max_keys + 8, B = j->most_rows;
  backward_scratch s = {.q_panel = p};
  s.o_panel = s.q_panel + W * D;
  s.q_rows = s.o_panel + W * D;
  s.o_rows = s.q_rows + W * D;
  s.out = s.o_rows + W * D;
  s.s = s.out + W * D;
  s.dp = s.s + K * W;
  s.rows = s.dp + K * W;
  s.strips = s.rows + K * D;
  s.k_rows = s.strips + K * (D + 8);
  s.by_query = s.k_rows + K * D;
  s.to_query = s.by_query + W * B;
  s.by_key = s.to_query + W * B;
  s.to_key = s.by_key + K * B;
  s.pk_rows = s.to_key + K * B;
  s.pq_rows = s.pk_rows + B * D;
  return s;
}

/* Rows of one head with zeros up to whole vectors. */
static void pad_rows(const attention_job *a, const float *h, int64_t step, int64_t n, float *rows) {
  const int64_t D = a->q.D, width = row_width(a);
  memset(rows, 0, (size_t)(n * width) * sizeof(float));
  for (int64_t i = 0; i < n; i++) memcpy(rows + i * width, h + i * step, (size_t)D * sizeof(float));
}

/* c[j] += sum over t < k of g[j][t] rows[t], or with g[t][j] when `turned`; c's rows D wide. */
static void add_products(const attention_job *a, int64_t n, int64_t k, const float *g, int64_t step,
                         int turned, const float *rows, float *c, int64_t ldc) {
  const spar_kernels *f = a->self->kernels;
  const int64_t D = a->q.D, width = row_width(a), run = head_run(a);
  const spar_epilogue add = {.alpha = 1, .beta = 1};
  for (int64_t d = 0; d < D; d += run) {
    const spar_product p = {.k = k, .lanes = least(run, D - d), .rows = n, .panel = rows + d,
                            .panel_step = width, .b = g,
                            .group_step = f->tile_rows * (turned ? 1 : step),
                            .row_step = turned ? 1 : step, .t_step = turned ? step : 1};
    f->product(&p, c + d, ldc, &add);
  }
}

static void backward_tile(const relative_job *j, const query_tile *t, const backward_scratch *w,
                          table_rows of_keys, float *dk, float *dv, float *dpk) {
  const attention_job *a = &j->a;
  const spar_kernels *f = a->self->kernels;
  const int64_t D = a->q.D, width = row_width(a);
  float lse[MAX_PANEL] = {0}, delta[MAX_PANEL] = {0};
  pack_lanes(a, t, &a->q, w->q_panel);
  pack_lanes(a, t, &a->d_o, w->o_panel);
  gather_lanes(a, t, &a->q, w->q_rows);
  gather_lanes(a, t, &a->d_o, w->o_rows);
  for (int64_t l = 0; l < t->lanes; l++) {
    lse[l] = a->lse[t->q_row[l] * a->lse_row + t->kv_head];
    delta[l] = f->dot(D, w->o_rows + l * width,
                      a->o.p + t->q_row[l] * a->o.row + t->kv_head * a->o.head);
  }
  scores(a, t, &a->k, w->q_panel, w->s);
  scores(a, t, &a->v, w->o_panel, w->dp);
  const table_rows of_tile = rows_of_tile(j, t);
  if (j->pk.p) queries_by_rows(j, t, of_tile, w->q_panel, w->by_query);
  const spar_relative r = relative_of(j, t, of_tile, j->pk.p ? w->by_query : NULL, of_keys,
                                      j->pq.p ? w->by_key : NULL);
  f->relative_add(&r, w->s);
  const spar_columns c = {.keys = t->end, .width = t->width, .first = t->first, .end = t->last,
                          .scale = a->scale};
  f->attend_bwd(&c, w->s, w->dp, lse, delta);
  add_keys(a, t, w->s, w->o_rows, dv);
  add_keys(a, t, w->dp, w->q_rows, dk);
  weighted_rows(a, t, &a->k, w->strips, t->end, w->dp, w->out);
  memset(w->to_query, 0, (size_t)(t->width * of_tile.step) * sizeof(float));
  const spar_relative folded = relative_of(j, t, of_tile, j->pk.p ? w->to_query : NULL, of_keys,
                                           j->pq.p ? w->to_key : NULL);
  f->relative_fold(&folded, w->dp);
  if (j->pk.p) {
    const int64_t n = of_tile.high - of_tile.low + 1;
    const float *highest = j->pk.p + of_tile.high * j->pk.row + t->kv_head * j->pk.head;
    pad_rows(a, highest, -j->pk.row, n, w->pk_rows);
    add_products(a, t->lanes, n, w->to_query, of_tile.step, 0, w->pk_rows, w->out, D);
    add_products(a, n, t->lanes, w->to_query, of_tile.step, 1, w->q_rows, dpk + of_tile.high * D,
                 -D);
  }
  write_query_gradients(a, t, w->out);
}

static void backward_span(const relative_job *j, int64_t span, int64_t head,
                          const backward_scratch *w, float *dk, float *dv, float *dpk, float *dpq) {
  const attention_job *a = &j->a;
  const int64_t n = a->k_len[span], D = a->q.D, begin = a->k_begin[span];
  const table_rows rows = rows_of_keys(j, n);
  const int64_t count = rows.high - rows.low + 1;
  pack_span(a, span, head, &a->k, n, w->rows, w->strips);
  if (j->pq.p) {
    keys_by_rows(j, span, head, rows, w->q_panel, w->by_key);
    memset(w->to_key, 0, (size_t)(n * rows.step) * sizeof(float));
  }
  for (int64_t i = 0; i < tiles_of(a, span); i++) {
    query_tile t;
    tile_at(a, span, head, i, &t);
    backward_tile(j, &t, w, rows, dk, dv, dpk);
  }
  if (!j->pq.p) return;
  pad_rows(a, a->k.p + begin * a->k.row + head * a->k.head, a->k.row, n, w->k_rows);
  pad_rows(a, j->pq.p + rows.low * j->pq.row + head * j->pq.head, j->pq.row, count, w->pq_rows);
  add_products(a, n, count, w->to_key, rows.step, 0, w->pq_rows, dk + begin * D, D);
  add_products(a, count, n, w->to_key, rows.step, 1, w->k_rows, dpq + rows.low * D, D);
}

/* Floats of one share, and where its parts begin. */
static int64_t share_size(const backward_job *j) {
  return 2 * (j->r.a.k.T + j->table_length) * j->r.a.q.D;
}

static void backward_tasks(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const backward_job *j = arg;
  const attention_job *a = &j->r.a;
  const backward_scratch w = carve(&j->r, local_scratch(a->self, worker));
  for (int64_t task = begin; task < end; task++) {
    float *dk = j->partial + task * share_size(j), *dv = dk + a->k.T * a->q.D;
    float *dpk = dv + a->k.T * a->q.D, *dpq = dpk + j->table_length * a->q.D;
    memset(dk, 0, (size_t)share_size(j) * sizeof(float));
    for (int64_t span = task % j->parts; span < a->n_seq; span += j->parts)
      if (a->k_len[span]) backward_span(&j->r, span, task / j->parts, &w, dk, dv, dpk, dpq);
  }
}

static void reduce(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const backward_job *j = arg;
  const attention_job *a = &j->r.a;
  const int64_t keys = a->k.T * a->q.D, table = j->table_length * a->q.D;
  const gradient_shares shares = {j->partial, j->parts, share_size(j)};
  sum_shares(a, shares, 0, &a->dk, begin, end);
  sum_shares(a, shares, keys, &a->dv, begin, end);
  if (j->r.pk.p) sum_shares(a, shares, 2 * keys, &j->r.dpk, begin, end);
  if (j->r.pq.p) sum_shares(a, shares, 2 * keys + table, &j->r.dpq, begin, end);
}

spar_status spar_cpu_rel_attention_bwd(void *p, const spar_rel_attention_args *raw) {
  backend *self = p;
  ADOPT(spar_rel_attention_args, raw);
  backward_job j;
  const spar_status status = relative_job_of(self, &a, 1, &j.r);
  if (status != SPAR_OK) return status;
  const int64_t heads = j.r.a.q.H;
  j.parts = blocks(LEAST_TASKS, most(heads, 1));
  j.table_length = j.r.pk.p ? j.r.pk.T : j.r.pq.p ? j.r.pq.T : 0;
  j.partial =
    shared_scratch(self, SLOT_A, (uint64_t)(heads * j.parts * share_size(&j)) * sizeof(float));
  if (!j.partial || reserve_local(self, backward_bytes(&j.r)) != SPAR_OK) return SPAR_E_NOMEM;
  if (!j.r.a.accumulate)
    spar_team_for(self->team, j.r.a.q.T, 4 * REDUCE_ROWS, clear_queries, &j.r.a);
  spar_team_for(self->team, heads * j.parts, 1, backward_tasks, &j);
  spar_team_for(self->team, most(j.r.a.k.T, j.table_length), REDUCE_ROWS, reduce, &j);
  return SPAR_OK;
}
