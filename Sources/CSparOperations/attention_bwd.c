/*
 * Attention, backward: probabilities are computed again from the scores and lse.
 *
 *   dV += P^T dO;  dP = dO V^T;  dS = P (dP - rowsum(dO O));  dQ = dS K;  dK += dS^T Q
 *
 * A task owns one share of one key head's tiles: all spans in order, every `parts`-th tile.  It
 * adds dK and dV into rows of its own, and the shares are summed in order at the end: the number of
 * shares depends on the number of heads only, so bits never depend on threads.
 */
#include "attention.h"

typedef struct backward_scratch {
  float *q_panel, *o_panel, *q_rows, *o_rows, *out, *s, *dp, *rows, *strips;
} backward_scratch;

static uint64_t backward_bytes(const attention_job *j) {
  const int64_t W = MAX_PANEL, D = row_width(j), K = j->max_keys + 8;
  return (uint64_t)(5 * W * D + 2 * K * W + K * D + K * (D + 8)) * 4;
}

static backward_scratch carve(const attention_job *j, float *p) {
  const int64_t W = MAX_PANEL, D = row_width(j), K = j->max_keys + 8;
  backward_scratch s = {.q_panel = p};
  s.o_panel = s.q_panel + W * D;
  s.q_rows = s.o_panel + W * D;
  s.o_rows = s.q_rows + W * D;
  s.out = s.o_rows + W * D;
  s.s = s.out + W * D;
  s.dp = s.s + K * W;
  s.rows = s.dp + K * W;
  s.strips = s.rows + K * D;
  return s;
}

void gather_lanes(const attention_job *j, const query_tile *t, const heads *h, float *rows) {
  const int64_t D = row_width(j);
  memset(rows, 0, (size_t)(t->width * D) * sizeof(float));
  for (int64_t l = 0; l < t->lanes; l++)
    memcpy(rows + l * D, h->p + t->q_row[l] * h->row + t->q_head[l] * h->head,
           (size_t)h->D * sizeof(float));
}

void add_keys(const attention_job *j, const query_tile *t, const float *p, const float *rows,
              float *d) {
  const spar_kernels *f = j->self->kernels;
  const int64_t D = j->q.D, Dp = row_width(j), run = head_run(j);
  const spar_epilogue add = {.alpha = 1, .beta = 1};
  for (int64_t key = t->begin; key < t->end;) {
    const int64_t end = key < t->prefix ? least(t->prefix, t->end) : t->end;
    const int64_t row = key < t->prefix ? j->prefix_begin[t->span] + key
                                        : j->k_begin[t->span] + key - t->prefix;
    for (int64_t c = 0; c < D; c += run) {
      const spar_product a = {.k = t->width, .lanes = least(run, D - c), .rows = end - key,
                              .panel = rows + c, .panel_step = Dp,
                              .b = p + (key - t->begin) * t->width,
                              .group_step = f->tile_rows * t->width, .row_step = t->width,
                              .t_step = 1};
      f->product(&a, d + row * D + c, D, &add);
    }
    key = end;
  }
}

void write_query_gradients(const attention_job *j, const query_tile *t, const float *out) {
  const int64_t D = j->q.D;
  for (int64_t l = 0; l < t->lanes; l++) {
    float *dq = j->dq.p + t->q_row[l] * j->dq.row + t->q_head[l] * j->dq.head;
    if (j->accumulate) j->self->kernels->add(D, out + l * D, dq);
    else memcpy(dq, out + l * D, (size_t)D * sizeof(float));
  }
}

static void backward_tile(const attention_job *j, const query_tile *t, const backward_scratch *w,
                          int64_t strip_keys, float *dk, float *dv) {
  const spar_kernels *f = j->self->kernels;
  const int64_t D = j->q.D, Dp = row_width(j);
  float lse[MAX_PANEL] = {0}, delta[MAX_PANEL] = {0};
  pack_lanes(j, t, &j->q, w->q_panel);
  pack_lanes(j, t, &j->d_o, w->o_panel);
  gather_lanes(j, t, &j->q, w->q_rows);
  gather_lanes(j, t, &j->d_o, w->o_rows);
  for (int64_t l = 0; l < t->lanes; l++) {
    lse[l] = j->lse[t->q_row[l] * j->lse_row + t->q_head[l]];
    delta[l] = f->dot(D, w->o_rows + l * Dp,
                      j->o.p + t->q_row[l] * j->o.row + t->q_head[l] * j->o.head);
  }
  scores(j, t, &j->k, w->q_panel, w->s);
  scores(j, t, &j->v, w->o_panel, w->dp);
  const spar_columns c = {.keys = t->end - t->begin, .width = t->width, .first = t->first,
                          .end = t->last, .scale = j->scale, .softcap = j->softcap};
  f->attend_bwd(&c, w->s, w->dp, lse, delta);
  add_keys(j, t, w->s, w->o_rows, dv);
  add_keys(j, t, w->dp, w->q_rows, dk);
  weighted_rows(j, t, &j->k, w->strips, strip_keys, w->dp, w->out);
  write_query_gradients(j, t, w->out);
}

static void backward_tasks(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const attention_job *j = arg;
  const backward_scratch w = carve(j, local_scratch(j->self, worker));
  const int64_t run = j->k.T * j->q.D;
  for (int64_t task = begin; task < end; task++) {
    const int64_t kv_head = task / j->parts, part = task % j->parts;
    float *dk = j->partial + task * 2 * run, *dv = dk + run;
    memset(dk, 0, (size_t)(2 * run) * sizeof(float));
    int64_t index = 0; /* of the tile among those of all spans */
    for (int64_t s = 0; s < j->n_seq; s++) {
      const int64_t tiles = tiles_of(j, s), keys = prefix_of(j, s) + j->k_len[s];
      int packed = 0;
      for (int64_t i = 0; i < tiles; i++, index++) {
        if (index % j->parts != part) continue;
        if (!packed) pack_span(j, s, kv_head, &j->k, keys, w.rows, w.strips);
        packed = 1;
        query_tile t;
        tile_at(j, s, kv_head, i, &t);
        backward_tile(j, &t, &w, keys, dk, dv);
      }
    }
  }
}

static void reduce_keys(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const attention_job *j = arg;
  const int64_t run = j->k.T * j->q.D;
  const gradient_shares shares = {j->partial, j->parts, 2 * run};
  sum_shares(j, shares, 0, &j->dk, begin, end);
  sum_shares(j, shares, run, &j->dv, begin, end);
}

void sum_shares(const attention_job *j, gradient_shares from, int64_t offset, const heads *to,
                int64_t begin, int64_t end) {
  const int64_t D = j->q.D;
  for (int64_t row = begin; row < least(end, to->T); row++)
    for (int64_t h = 0; h < to->H; h++) {
      float *d = to->p + row * to->row + h * to->head;
      if (!j->accumulate) memset(d, 0, (size_t)D * sizeof(float));
      for (int64_t part = 0; part < from.parts; part++)
        j->self->kernels->add(
          D, from.first + (h * from.parts + part) * from.size + offset + row * D, d);
    }
}

void clear_queries(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const attention_job *j = arg;
  for (int64_t row = begin; row < end; row++)
    for (int64_t h = 0; h < j->q.H; h++)
      memset(j->dq.p + row * j->dq.row + h * j->dq.head, 0, (size_t)j->q.D * sizeof(float));
}

spar_status spar_cpu_attention_bwd(void *p, const spar_attention_args *raw) {
  backend *self = p;
  ADOPT(spar_attention_args, raw);
  attention_job j;
  const spar_status status = attention_job_of(self, &a, 1, &j);
  if (status != SPAR_OK) return status;
  j.parts = blocks(LEAST_TASKS, j.k.H);
  const uint64_t shares = (uint64_t)(j.k.H * j.parts * 2 * j.k.T * j.q.D) * 4;
  j.partial = shared_scratch(self, SLOT_A, shares);
  if (!j.partial || reserve_local(self, backward_bytes(&j)) != SPAR_OK) return SPAR_E_NOMEM;
  if (!j.accumulate) spar_team_for(self->team, j.q.T, 4 * REDUCE_ROWS, clear_queries, &j);
  spar_team_for(self->team, j.k.H * j.parts, 1, backward_tasks, &j);
  spar_team_for(self->team, j.k.T, REDUCE_ROWS, reduce_keys, &j);
  return SPAR_OK;
}
