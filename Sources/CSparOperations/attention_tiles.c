/* Tiles of queries, their keys, and the two products every pass of attention needs. */
#include "attention.h"

int heads_of(const spar_tensor *t, heads *h) {
  if (!is_f32(t) || t->rank != 3) return 0;
  *h = (heads){.p = t->data, .T = t->shape[0], .H = t->shape[1], .D = t->shape[2],
               .row = t->stride[0], .head = t->stride[1]};
  return 1;
}

int same_shape(const heads *a, const heads *b) {
  return a->T == b->T && a->H == b->H && a->D == b->D;
}

static int in_range(int64_t begin, int64_t len, int64_t T) {
  return len >= 0 && (len == 0 || (begin >= 0 && begin + len <= T));
}

spar_status attention_job_of(backend *self, const spar_attention_args *a, int backward,
                             attention_job *job) {
  attention_job j = {.self = self, .q_begin = a->q_begin, .q_len = a->q_len,
                     .k_begin = a->k_begin, .k_len = a->k_len, .prefix_begin = a->prefix_begin,
                     .prefix_len = a->prefix_begin ? a->prefix_len : NULL, .n_seq = a->n_seq,
                     .window = a->window, .scale = (float)a->scale, .softcap = (float)a->softcap,
                     .causal = !!(a->flags & SPAR_CAUSAL),
                     .accumulate = !!(a->flags & SPAR_ACCUMULATE)};
  if (!heads_of(a->q, &j.q) || !heads_of(a->k, &j.k) || !heads_of(a->v, &j.v) ||
      !heads_of(a->o, &j.o) || !is_f32_or_absent(a->lse) || (a->lse && a->lse->rank != 2))
    return SPAR_UNSUPPORTED;
  if (backward && (!heads_of(a->d_o, &j.d_o) || !heads_of(a->dq, &j.dq) ||
                   !heads_of(a->dk, &j.dk) || !heads_of(a->dv, &j.dv) || !a->lse))
    return SPAR_UNSUPPORTED;
  int fits = j.q.D == j.k.D && same_shape(&j.k, &j.v) && same_shape(&j.q, &j.o) && j.k.H > 0 &&
             j.q.H % j.k.H == 0;
  if (backward)
    fits = fits && same_shape(&j.q, &j.d_o) && same_shape(&j.q, &j.dq) &&
           same_shape(&j.k, &j.dk) && same_shape(&j.k, &j.dv);
  for (int64_t s = 0; fits && s < j.n_seq; s++) {
    const int64_t prefix = prefix_of(&j, s);
    fits = in_range(j.q_begin[s], j.q_len[s], j.q.T) && in_range(j.k_begin[s], j.k_len[s], j.k.T) &&
           (!prefix || in_range(j.prefix_begin[s], prefix, j.k.T));
    j.max_keys = most(j.max_keys, prefix + j.k_len[s]);
  }
  if (!fits)
    return fail(self, SPAR_E_INVALID,
                "attention: shapes disagree, or a span leaves its tensor");
  j.lse = vector_of(a->lse);
  j.lse_row = a->lse ? a->lse->stride[0] : 0;
  j.group = j.q.H / j.k.H;
  *job = j;
  return SPAR_OK;
}

int64_t tiles_of(const attention_job *j, int64_t span) {
  return blocks(j->q_len[span] * j->group, j->self->kernels->panel_lanes);
}

void tile_at(const attention_job *j, int64_t span, int64_t kv_head, int64_t index, query_tile *t) {
  const int64_t W = j->self->kernels->panel_lanes, vl = j->self->kernels->lanes;
  const int64_t start = index * W;
  const int64_t prefix = prefix_of(j, span), own = j->k_len[span];
  t->span = span;
  t->kv_head = kv_head;
  t->prefix = prefix;
  t->lanes = least(W, j->q_len[span] * j->group - start);
  t->width = blocks(t->lanes, vl) * vl;
  t->begin = prefix + own;
  t->end = 0;
  int64_t first[MAX_PANEL], last[MAX_PANEL];
  for (int64_t l = 0; l < t->lanes; l++) {
    const int64_t i = (start + l) / j->group, g = (start + l) % j->group;
    const int64_t seen = j->causal ? most(0, least(own, own - j->q_len[span] + i + 1)) : own;
    last[l] = prefix + seen;
    first[l] = j->window > 0 ? most(0, last[l] - j->window) : 0;
    t->begin = least(t->begin, first[l]);
    t->end = most(t->end, last[l]);
    t->q_row[l] = j->q_begin[span] + i;
    t->q_head[l] = kv_head * j->group + g;
  }
  t->end = most(t->end, t->begin);
  for (int64_t l = 0; l < t->width; l++) {
    t->first[l] = l < t->lanes ? (int32_t)(first[l] - t->begin) : 0;
    t->last[l] = l < t->lanes ? (int32_t)(last[l] - t->begin) : 0;
  }
}

void pack_lanes(const attention_job *j, const query_tile *t, const heads *h, float *panel) {
  int32_t at[MAX_PANEL];
  for (int64_t l = 0; l < t->lanes; l++)
    at[l] = (int32_t)((t->q_row[l] - t->q_row[0]) * h->row +
                      (t->q_head[l] - t->q_head[0]) * h->head);
  const float *base = h->p + t->q_row[0] * h->row + t->q_head[0] * h->head;
  j->self->kernels->pack_rows(panel, base, 1, at, t->lanes, h->D);
}

void scores(const attention_job *j, const query_tile *t, const heads *h, const float *panel,
            float *s) {
  const spar_kernels *f = j->self->kernels;
  const spar_epilogue plain = {.alpha = 1};
  for (int64_t key = t->begin; key < t->end;) {
    const int64_t end = key < t->prefix ? least(t->prefix, t->end) : t->end;
    const spar_product p = {.k = h->D, .lanes = t->width, .rows = end - key, .panel = panel,
                            .panel_step = t->width,
                            .b = key_row(j, t->span, h, t->kv_head, key),
                            .group_step = f->tile_rows * h->row, .row_step = h->row, .t_step = 1};
    f->product(&p, s + (key - t->begin) * t->width, t->width, &plain);
    key = end;
  }
}

void weighted_rows(const attention_job *j, const query_tile *t, const heads *h,
                   const float *strips, int64_t strip_keys, const float *s, float *out) {
  const spar_kernels *f = j->self->kernels;
  const spar_product p = {.k = t->end - t->begin, .lanes = t->lanes, .rows = h->D, .panel = s,
                          .panel_step = t->width, .b = strips + t->begin * f->tile_rows,
                          .group_step = strip_keys * f->tile_rows, .row_step = 1,
                          .t_step = f->tile_rows};
  const spar_epilogue e = {.alpha = 1, .transposed = 1};
  f->product(&p, out, h->D, &e);
}

void pack_span(const attention_job *j, int64_t span, int64_t kv_head, const heads *h, int64_t keys,
               float *rows, float *strips) {
  const spar_kernels *f = j->self->kernels;
  for (int64_t key = 0; key < keys; key++)
    memcpy(rows + key * h->D, key_row(j, span, h, kv_head, key), (size_t)h->D * sizeof(float));
  f->pack_strips(strips, rows, h->D, keys, h->D);
}
