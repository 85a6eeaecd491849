/* Attention with relative positions, forward, and what both passes share. */
#include "relative.h"

enum { VECTOR = 16, MARGIN = MAX_PANEL + 2 * VECTOR }; /* distances beyond a span's, see up */

static int in_order(const spar_rel_attention_args *a, int64_t rows) {
  int32_t last = 0;
  for (int64_t i = 0; i <= 2 * a->reach; i++) {
    if (a->bucket[i] < last || a->bucket[i] >= rows) return 0;
    last = a->bucket[i];
  }
  return 1;
}

static int table_of(const spar_tensor *t, heads *h) {
  *h = (heads){0};
  return !t || heads_of(t, h);
}

/* Floats between lines of `rows` products: a vector behind the last, and an odd number of cache
 * lines, so that lines read together lie in different sets of a cache. */
static int64_t line_of(int64_t rows) { return (blocks(rows, VECTOR) + 1 | 1) * VECTOR; }

spar_status relative_job_of(backend *self, const spar_rel_attention_args *a, int backward,
                            relative_job *job) {
  const spar_attention_args plain = {
    .struct_size = sizeof plain, .flags = a->flags & SPAR_ACCUMULATE, .q = a->q, .k = a->k,
    .v = a->v, .o = a->o, .lse = a->lse, .d_o = a->d_o, .dq = a->dq, .dk = a->dk, .dv = a->dv,
    .q_begin = a->begin, .q_len = a->len, .k_begin = a->begin, .k_len = a->len,
    .n_seq = a->n_seq, .scale = a->scale};
  relative_job j = {.most_rows = 0};
  if (!table_of(a->pk, &j.pk) || !table_of(a->pq, &j.pq)) return SPAR_UNSUPPORTED;
  if (backward && (!table_of(a->dpk, &j.dpk) || !table_of(a->dpq, &j.dpq))) return SPAR_UNSUPPORTED;
  const spar_status status = attention_job_of(self, &plain, backward, &j.a);
  if (status != SPAR_OK) return status;
  const heads *tables[] = {&j.pk, &j.pq};
  const heads *gradients[] = {&j.dpk, &j.dpq};
  int fits = j.a.group == 1 && j.a.q.T == j.a.k.T && a->bucket && a->reach >= 0;
  int64_t rows = 0;
  for (int i = 0; i < 2 && fits; i++) {
    const heads *t = tables[i];
    if (!t->p) continue;
    fits = t->H == j.a.q.H && t->D == j.a.q.D && (!rows || t->T == rows) &&
           (!backward || (gradients[i]->p && same_shape(t, gradients[i])));
    rows = t->T;
  }
  if (!fits || !in_order(a, rows ? rows : INT32_MAX))
    return fail(self, SPAR_E_INVALID,
                "rel_attention: shapes disagree, or buckets leave the tables or decrease");
  const int64_t most_distance = j.a.max_keys + MARGIN;
  int32_t *distances = shared_scratch(self, SLOT_B, (uint64_t)(4 * most_distance + 2) * 4);
  if (!distances) return SPAR_E_NOMEM;
  int32_t *up = distances + most_distance, *down = up + 2 * most_distance + 1;
  spar_relative_rows(a->bucket, a->reach, most_distance, up, down);
  j.up = up;
  j.down = down;
  j.most_rows = line_of(up[most_distance] - up[-most_distance] + 1);
  *job = j;
  return SPAR_OK;
}

static table_rows rows_between(const relative_job *j, int64_t least, int64_t most) {
  const int64_t low = j->up[least], high = j->up[most];
  return (table_rows){low, high, line_of(high - low + 1)};
}

table_rows rows_of_keys(const relative_job *j, int64_t n) {
  return rows_between(j, 1 - n, n - 1 + VECTOR);
}

table_rows rows_of_tile(const relative_job *j, const query_tile *t) {
  const int64_t first = t->q_row[0] - j->a.q_begin[t->span];
  return rows_between(j, first - t->end - VECTOR + 1, first + t->width - 1);
}

void keys_by_rows(const relative_job *j, int64_t span, int64_t head, table_rows rows, float *panel,
                  float *by_key) {
  const spar_kernels *f = j->a.self->kernels;
  const heads *k = &j->a.k;
  const spar_epilogue plain = {.alpha = 1};
  const int64_t count = rows.high - rows.low + 1, D = k->D, n = j->a.k_len[span];
  const float *table = j->pq.p + rows.low * j->pq.row + head * j->pq.head;
  int64_t d = 1 - n; /* the least distance with a row of the panel */
  for (int64_t c = 0; c < count && d < n; c += f->panel_lanes) {
    const int64_t lanes = least(f->panel_lanes, count - c), first = most(0, n - 1 - d);
    while (d < n && j->up[d] < rows.low + c + lanes) d++;
    /* Key t is between -t and n - 1 - t away from the span's queries. */
    const int64_t begin = most(0, 1 - d), end = least(n, first + 1);
    f->pack_rows(panel, table + c * j->pq.row, j->pq.row, NULL, lanes, D);
    const spar_product p = {.k = D, .lanes = lanes, .rows = end - begin, .panel = panel,
                            .panel_step = blocks(lanes, f->lanes) * f->lanes,
                            .b = k->p + (j->a.k_begin[span] + begin) * k->row + head * k->head,
                            .group_step = f->tile_rows * k->row, .row_step = k->row, .t_step = 1};
    f->product(&p, by_key + begin * rows.step + c, rows.step, &plain);
  }
}

void queries_by_rows(const relative_job *j, const query_tile *t, table_rows rows,
                     const float *panel, float *by_query) {
  const spar_kernels *f = j->a.self->kernels;
  const spar_epilogue turned = {.alpha = 1, .transposed = 1};
  const int64_t step = -j->pk.row; /* from the highest row down: ascending keys read ascending */
  const spar_product p = {.k = j->pk.D, .lanes = t->lanes, .rows = rows.high - rows.low + 1,
                          .panel = panel, .panel_step = t->width,
                          .b = j->pk.p + rows.high * j->pk.row + t->kv_head * j->pk.head,
                          .group_step = f->tile_rows * step, .row_step = step, .t_step = 1};
  f->product(&p, by_query, rows.step, &turned);
}

spar_relative relative_of(const relative_job *j, const query_tile *t, table_rows of_tile,
                          float *by_query, table_rows of_keys, float *by_key) {
  return (spar_relative){
    .keys = t->end, .width = t->width, .first = t->q_row[0] - j->a.q_begin[t->span], .up = j->up,
    .down = j->down, .by_query = by_query ? by_query + of_tile.high : NULL,
    .by_key = by_key ? by_key - of_keys.low : NULL, .query_step = of_tile.step,
    .key_step = of_keys.step};
}

/* ---- forward ---- */

typedef struct forward_scratch {
  float *panel, *s, *out, *strips, *by_query, *by_key;
} forward_scratch;

static uint64_t forward_bytes(const relative_job *j) {
  const int64_t W = MAX_PANEL, D = j->a.q.D, K = j->a.max_keys + 8;
  return (uint64_t)(2 * W * D + K * W + K * (D + 8) + (W + K) * j->most_rows + VECTOR) * 4;
}

static forward_scratch carve(const relative_job *j, float *p) {
  const int64_t W = MAX_PANEL, D = j->a.q.D, K = j->a.max_keys + 8;
  forward_scratch s = {.panel = p};
  s.s = s.panel + W * D;
  s.out = s.s + K * W;
  s.strips = s.out + W * D;
  s.by_query = s.strips + K * (D + 8);
  s.by_key = s.by_query + W * j->most_rows;
  return s;
}

static void forward_tile(const relative_job *j, const query_tile *t, const forward_scratch *w,
                         table_rows of_keys) {
  const attention_job *a = &j->a;
  const spar_kernels *f = a->self->kernels;
  float lse[MAX_PANEL], inverse[MAX_PANEL];
  pack_lanes(a, t, &a->q, w->panel);
  scores(a, t, &a->k, w->panel, w->s);
  const table_rows of_tile = rows_of_tile(j, t);
  if (j->pk.p) queries_by_rows(j, t, of_tile, w->panel, w->by_query);
  const spar_relative r = relative_of(j, t, of_tile, j->pk.p ? w->by_query : NULL, of_keys,
                                      j->pq.p ? w->by_key : NULL);
  f->relative_add(&r, w->s);
  const spar_columns c = {.keys = t->end, .width = t->width, .first = t->first, .end = t->last,
                          .scale = a->scale};
  f->attend(&c, w->s, lse, inverse);
  weighted_rows(a, t, &a->v, w->strips, t->end, w->s, w->out);
  write_queries(a, t, w->out, lse, inverse);
}

static void forward_tasks(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const relative_job *j = arg;
  const forward_scratch w = carve(j, local_scratch(j->a.self, worker));
  for (int64_t task = begin; task < end; task++) {
    const int64_t span = task / j->a.q.H, head = task % j->a.q.H, n = j->a.k_len[span];
    if (n == 0) continue;
    const table_rows of_keys = rows_of_keys(j, n);
    const heads *v = &j->a.v;
    j->a.self->kernels->pack_strips(w.strips, key_row(&j->a, span, v, head, 0), v->row, n, v->D);
    if (j->pq.p) keys_by_rows(j, span, head, of_keys, w.panel, w.by_key);
    for (int64_t i = 0; i < tiles_of(&j->a, span); i++) {
      query_tile t;
      tile_at(&j->a, span, head, i, &t);
      forward_tile(j, &t, &w, of_keys);
    }
  }
}

spar_status spar_cpu_rel_attention(void *p, const spar_rel_attention_args *raw) {
  backend *self = p;
  ADOPT(spar_rel_attention_args, raw);
  relative_job j;
  const spar_status status = relative_job_of(self, &a, 0, &j);
  if (status != SPAR_OK) return status;
  if (reserve_local(self, forward_bytes(&j)) != SPAR_OK) return SPAR_E_NOMEM;
  spar_team_for(self->team, j.a.n_seq * j.a.q.H, 1, forward_tasks, &j);
  return SPAR_OK;
}
