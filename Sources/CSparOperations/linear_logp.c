/*
 * Log-probabilities of a linear head, whose logits never exist beyond a block.
 *
 * Forward: slices of the vocabulary; in each, blocks of logits [rows of W][tokens] are folded into
 * one softmax state per token.  The slices' states are joined in order.
 * Backward: slices of the vocabulary again; a block's logits give its rows of dW at once, and each
 * slice sums a dh of its own, joined in order.  Slices depend on shapes only.
 */
#include "backend.h"

#include <math.h>

enum {
  FORWARD_ROWS = 512, /* vocabulary rows per forward slice, folded BLOCK_ROWS at a time */
  BLOCK_ROWS = 64,
  BACKWARD_SLICES = 8,
  BACKWARD_ROWS = 128, /* W block 128 x 576 floats: 288 KiB of L2 */
  MAX_PANEL = 48,
  STATES = 5 /* max, sum, weighted, squares, picked */
};

typedef struct head_job {
  backend *self;
  const float *h, *W;
  int64_t T, C, V, ldh, ldw; /* T: rows that count */
  int64_t padded;            /* T in whole vectors per panel */
  const int32_t *index;      /* [T] their rows of h */
  int32_t *target;           /* [padded], -1 beyond */
  float *lse, *coef;         /* [padded], backward */
  float *panels;             /* h packed, [panel][C][lanes] */
  float *states;             /* [slice][STATES][padded] */
  float *partial;            /* [slice][T][C] */
  float *dW;
  int64_t lddw, slice_rows;
  int32_t wants_dh;
  int32_t stored;    /* W's type where it is not f32; W is then only an address */
  int64_t row_bytes; /* of such a W */
  float scale, softcap;
  float *dh;
  int64_t lddh;
  int32_t accumulate;
} head_job;

/* Panel p holds tokens [p W, p W + lanes), `width` wide: offset p W in arrays of tokens, since all
 * panels but the last are full. */
typedef struct token_panel {
  int64_t at, lanes, width;
} token_panel;

static token_panel panel_of(const head_job *j, int64_t p) {
  const spar_kernels *f = j->self->kernels;
  const int64_t at = p * f->panel_lanes, lanes = least(f->panel_lanes, j->T - at);
  return (token_panel){at, lanes, blocks(lanes, f->lanes) * f->lanes};
}

static int64_t panels_of(const head_job *j) {
  return blocks(j->T, j->self->kernels->panel_lanes);
}

static void pack_tokens(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const head_job *j = arg;
  for (int64_t p = begin; p < end; p++) {
    const token_panel t = panel_of(j, p);
    j->self->kernels->pack_rows(j->panels + t.at * j->C, j->h, j->ldh, j->index + t.at, t.lanes,
                                j->C);
  }
}

/* Rows of W in f32, `step` apart. */
typedef struct head_rows {
  const float *p;
  int64_t step;
} head_rows;

/* Rows [v, v + n): where they lie, or decoded into `room`. */
static head_rows weight_rows(const head_job *j, int64_t v, int64_t n, float *room) {
  if (!j->stored) return (head_rows){j->W + v * j->ldw, j->ldw};
  for (int64_t r = 0; r < n; r++)
    j->self->kernels->decode(j->stored, j->C, (const char *)j->W + (v + r) * j->row_bytes,
                             room + r * j->C);
  return (head_rows){room, j->C};
}

/* z[v][lane] for n vocabulary rows and one panel. */
static void logits(const head_job *j, token_panel t, head_rows w, int64_t n, float *z) {
  const spar_kernels *f = j->self->kernels;
  const spar_epilogue plain = {.alpha = 1};
  const spar_product a = {.k = j->C, .lanes = t.width, .rows = n, .panel = j->panels + t.at * j->C,
                          .panel_step = t.width, .b = w.p, .group_step = f->tile_rows * w.step,
                          .row_step = w.step, .t_step = 1};
  f->product(&a, z, t.width, &plain);
}

static void forward_slice(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const head_job *j = arg;
  float z[BLOCK_ROWS * MAX_PANEL] __attribute__((aligned(64)));
  float *state = j->states + begin / FORWARD_ROWS * STATES * j->padded;
  for (int64_t i = 0; i < j->padded; i++) state[i] = -INFINITY;
  memset(state + j->padded, 0, (size_t)((STATES - 1) * j->padded) * sizeof(float));
  for (int64_t v = begin; v < end; v += BLOCK_ROWS) {
    const int64_t n = least(BLOCK_ROWS, end - v), P = j->padded;
    const head_rows w = weight_rows(j, v, n, local_scratch(j->self, worker));
    for (int64_t p = 0; p < panels_of(j); p++) {
      const token_panel t = panel_of(j, p);
      const spar_vocab_state s = {state + t.at, state + P + t.at, state + 2 * P + t.at,
                                  state + 3 * P + t.at};
      logits(j, t, w, n, z);
      j->self->kernels->vocab(n, t.width, j->scale, j->softcap, v, j->target + t.at, z, &s,
                              state + 4 * P + t.at);
    }
  }
}

/* The head's operands and the rows that count; 0 rows is fine. */
static spar_status prepare(backend *self, const spar_linear_logp_args *a, int64_t extra,
                           head_job *j) {
  const spar_kernels *f = self->kernels;
  const int64_t T = a->h->shape[0];
  *j = (head_job){.self = self, .h = a->h->data, .W = a->weight->data, .C = a->h->shape[1],
                  .V = a->weight->shape[0], .ldh = a->h->stride[0], .ldw = a->weight->stride[0],
                  .scale = a->inv_temperature == 0 ? 1.f : (float)a->inv_temperature,
                  .softcap = (float)a->softcap};
  if (!is_f32(a->weight)) {
    j->stored = a->weight->dtype;
    j->row_bytes = spar_dtype_bytes(j->stored, j->ldw);
    if ((a->weight->shape[1] | j->ldw) % spar_dtype_block(j->stored))
      return fail(self, SPAR_E_INVALID, "linear_logp: rows of the weight are no whole blocks");
  }
  for (int64_t t = 0; t < T; t++) {
    if (a->targets[t] >= j->V)
      return fail(self, SPAR_E_INVALID, "linear_logp: a target is beyond the vocabulary");
    j->T += a->targets[t] >= 0;
  }
  const int64_t room = blocks(j->T, f->lanes) * f->lanes;
  j->padded = room;
  int32_t *ints = shared_scratch(self, SLOT_A, (uint64_t)(4 * room + extra) * 4);
  j->panels = shared_scratch(self, SLOT_B, (uint64_t)(room * j->C) * 4);
  if (!ints || !j->panels) return SPAR_E_NOMEM;
  j->target = ints + room;
  j->lse = (float *)(ints + 2 * room);
  j->coef = (float *)(ints + 3 * room);
  int64_t n = 0;
  for (int64_t t = 0; t < T; t++) {
    if (a->targets[t] < 0) continue;
    ints[n] = (int32_t)t;
    j->target[n++] = a->targets[t];
  }
  for (; n < room; n++) ints[n] = j->target[n] = -1;
  j->index = ints;
  spar_team_for(self->team, panels_of(j), 1, pack_tokens, j);
  return SPAR_OK;
}

static int head_operands(const spar_linear_logp_args *a) {
  return is_f32(a->h) && (is_f32(a->weight) || is_stored(a->weight)) && a->h->rank == 2 &&
         a->weight->rank == 2;
}

/* Joins the slices' states of token i. */
static void join(const head_job *j, int64_t slices, int64_t i, int64_t t,
                 const spar_linear_logp_args *a) {
  const int64_t P = j->padded;
  float m = -INFINITY;
  for (int64_t s = 0; s < slices; s++) {
    const float x = j->states[s * STATES * P + i];
    m = x > m ? x : m;
  }
  double sum = 0, weighted = 0, squares = 0, picked = 0;
  for (int64_t s = 0; s < slices; s++) {
    const float *st = j->states + s * STATES * P + i;
    const double shift = (double)st[0] - m, fade = exp(shift);
    if (fade > 0) {
      sum += st[P] * fade;
      weighted += (st[2 * P] + shift * st[P]) * fade;
      squares += st[3 * P] * fade * fade;
    }
    if (j->target[i] >= s * FORWARD_ROWS && j->target[i] < (s + 1) * FORWARD_ROWS)
      picked = st[4 * P];
  }
  const double log_sum = log(sum), lse = m + log_sum;
  if (a->logp) vector_of(a->logp)[t] = (float)(picked - lse);
  if (a->lse) vector_of(a->lse)[t] = (float)lse;
  if (a->entropy) vector_of(a->entropy)[t] = (float)(log_sum - weighted / sum);
  if (a->sum_p2) vector_of(a->sum_p2)[t] = (float)(squares / (sum * sum));
}

typedef struct join_job {
  const head_job *head;
  const spar_linear_logp_args *args;
  int64_t slices;
} join_job;

static void join_tokens(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const join_job *j = arg;
  for (int64_t i = begin; i < end; i++) join(j->head, j->slices, i, j->head->index[i], j->args);
}

spar_status spar_cpu_linear_logp(void *p, const spar_linear_logp_args *raw) {
  backend *self = p;
  ADOPT(spar_linear_logp_args, raw);
  if (!head_operands(&a) || !is_f32_or_absent(a.logp) || !is_f32_or_absent(a.lse) ||
      !is_f32_or_absent(a.entropy) || !is_f32_or_absent(a.sum_p2))
    return SPAR_UNSUPPORTED;
  head_job j;
  const spar_status status = prepare(self, &a, 0, &j);
  if (status != SPAR_OK) return status;
  const size_t all = (size_t)a.h->shape[0] * sizeof(float);
  if (a.logp) memset(a.logp->data, 0, all);
  if (a.lse) memset(a.lse->data, 0, all);
  if (a.entropy) memset(a.entropy->data, 0, all);
  if (a.sum_p2) memset(a.sum_p2->data, 0, all);
  if (j.T == 0) return SPAR_OK;
  join_job joins = {.head = &j, .args = &a, .slices = blocks(j.V, FORWARD_ROWS)};
  j.states = shared_scratch(self, SLOT_C, (uint64_t)(joins.slices * STATES * j.padded) * 4);
  if (!j.states) return SPAR_E_NOMEM;
  if (j.stored && reserve_local(self, (uint64_t)(BLOCK_ROWS * j.C) * 4) != SPAR_OK)
    return SPAR_E_NOMEM;
  spar_team_for(self->team, j.V, FORWARD_ROWS, forward_slice, &j);
  spar_team_for(self->team, j.T, 16, join_tokens, &joins);
  return SPAR_OK;
}

/* ---- backward ---- */

typedef struct slice_scratch {
  float *z;        /* [panel][rows][lanes]: dlogits */
  float *by_row;   /* [rows][padded]: the same, a vocabulary row's tokens in a run */
  float *h_panel;  /* [T][lanes of C] */
  float *w_panel;  /* [rows][lanes of C] */
  float *decoded;  /* [rows][C], of a stored W */
} slice_scratch;

static uint64_t slice_bytes(const head_job *j) {
  const int64_t decoded = j->stored ? BACKWARD_ROWS * j->C : 0;
  return (uint64_t)((2 * BACKWARD_ROWS + MAX_PANEL) * j->padded + BACKWARD_ROWS * MAX_PANEL +
                    decoded) * 4;
}

/* dlogits of vocabulary rows [v, v + n), both ways round. */
static void dlogits(const head_job *j, int64_t v, int64_t n, head_rows rows,
                    const slice_scratch *w) {
  for (int64_t p = 0; p < panels_of(j); p++) {
    const token_panel t = panel_of(j, p);
    float *z = w->z + t.at * BACKWARD_ROWS;
    logits(j, t, rows, n, z);
    j->self->kernels->vocab_bwd(n, t.width, j->scale, j->softcap, v, j->target + t.at,
                                j->lse + t.at, j->coef + t.at, z);
    if (j->dW)
      for (int64_t r = 0; r < n; r++)
        memcpy(w->by_row + r * j->padded + t.at, z + r * t.width,
               (size_t)t.width * sizeof(float));
  }
}

/* dW[v][c] += sum over tokens of dz[v][t] h[t][c] */
static void add_weight(const head_job *j, int64_t v, int64_t n, const slice_scratch *w) {
  const spar_kernels *f = j->self->kernels;
  const spar_epilogue add = {.alpha = 1, .beta = 1};
  for (int64_t c = 0; c < j->C; c += f->panel_lanes) {
    const int64_t lanes = least(f->panel_lanes, j->C - c);
    const int64_t width = blocks(lanes, f->lanes) * f->lanes;
    const spar_product a = {.k = j->T, .lanes = lanes, .rows = n,
                            .panel = j->states + c * j->T, .panel_step = width, .b = w->by_row,
                            .group_step = f->tile_rows * j->padded, .row_step = j->padded,
                            .t_step = 1};
    f->product(&a, j->dW + v * j->lddw + c, j->lddw, &add);
  }
}

/* dh[t][c] += sum over rows of dz[v][t] W[v][c] */
static void add_hidden(const head_job *j, int64_t n, head_rows rows, const slice_scratch *w,
                       float *dh) {
  const spar_kernels *f = j->self->kernels;
  const spar_epilogue add = {.alpha = 1, .beta = 1};
  for (int64_t c = 0; c < j->C; c += f->panel_lanes) {
    const int64_t lanes = least(f->panel_lanes, j->C - c);
    const int64_t width = blocks(lanes, f->lanes) * f->lanes;
    f->pack_columns(w->w_panel, rows.p + c, rows.step, n, lanes);
    for (int64_t p = 0; p < panels_of(j); p++) {
      const token_panel t = panel_of(j, p);
      const spar_product a = {.k = n, .lanes = lanes, .rows = t.lanes, .panel = w->w_panel,
                              .panel_step = width, .b = w->z + t.at * BACKWARD_ROWS,
                              .group_step = f->tile_rows, .row_step = 1, .t_step = t.width};
      f->product(&a, dh + t.at * j->C + c, j->C, &add);
    }
  }
}

static void backward_slices(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const head_job *j = arg;
  slice_scratch w = {.z = local_scratch(j->self, worker)};
  w.by_row = w.z + BACKWARD_ROWS * j->padded;
  w.w_panel = w.by_row + BACKWARD_ROWS * j->padded;
  w.decoded = w.w_panel + BACKWARD_ROWS * MAX_PANEL;
  for (int64_t s = begin; s < end; s++) {
    float *dh = j->partial + s * j->T * j->C;
    if (j->wants_dh) memset(dh, 0, (size_t)(j->T * j->C) * sizeof(float));
    const int64_t last = least(j->V, (s + 1) * j->slice_rows);
    for (int64_t v = s * j->slice_rows; v < last; v += BACKWARD_ROWS) {
      const int64_t n = least(BACKWARD_ROWS, last - v);
      const head_rows rows = weight_rows(j, v, n, w.decoded);
      dlogits(j, v, n, rows, &w);
      if (j->dW) add_weight(j, v, n, &w);
      if (j->wants_dh) add_hidden(j, n, rows, &w, dh);
    }
  }
}

/* Columns of the counted rows of h, for dW: panel c of [T][lanes] at c T. */
static void pack_channels(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const head_job *j = arg;
  const spar_kernels *f = j->self->kernels;
  for (int64_t p = begin; p < end; p++) {
    const int64_t c = p * f->panel_lanes, lanes = least(f->panel_lanes, j->C - c);
    const int64_t width = blocks(lanes, f->lanes) * f->lanes;
    float *out = j->states + c * j->T;
    for (int64_t t = 0; t < j->T; t++)
      f->pack_columns(out + t * width, j->h + j->index[t] * j->ldh + c, j->ldh, 1, lanes);
  }
}

static void join_hidden(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const head_job *j = arg;
  const spar_kernels *f = j->self->kernels;
  const int64_t slices = blocks(j->V, j->slice_rows);
  for (int64_t i = begin; i < end; i++) {
    float *d = j->dh + j->index[i] * j->lddh;
    if (!j->accumulate) memset(d, 0, (size_t)j->C * sizeof(float));
    for (int64_t s = 0; s < slices; s++) f->add(j->C, j->partial + (s * j->T + i) * j->C, d);
  }
}

spar_status spar_cpu_linear_logp_bwd(void *p, const spar_linear_logp_args *raw) {
  backend *self = p;
  ADOPT(spar_linear_logp_args, raw);
  if (!head_operands(&a) || !is_f32(a.lse) || !is_f32(a.coef) || !is_f32_or_absent(a.dh) ||
      !is_f32_or_absent(a.dweight))
    return SPAR_UNSUPPORTED;
  head_job j;
  const spar_status status = prepare(self, &a, 0, &j);
  if (status != SPAR_OK) return status;
  j.accumulate = !!(a.flags & SPAR_ACCUMULATE);
  if (a.dh) {
    j.dh = a.dh->data;
    j.lddh = a.dh->stride[0];
    j.wants_dh = 1;
    for (int64_t t = 0; t < a.dh->shape[0] && !j.accumulate; t++)
      if (a.targets[t] < 0) memset(j.dh + t * j.lddh, 0, (size_t)j.C * sizeof(float));
  }
  if (j.T == 0) return SPAR_OK;
  for (int64_t i = 0; i < j.padded; i++) {
    j.lse[i] = i < j.T ? vector_of(a.lse)[j.index[i]] : 0.f;
    j.coef[i] = i < j.T ? vector_of(a.coef)[j.index[i]] : 0.f;
  }
  if (a.dweight) {
    j.dW = a.dweight->data;
    j.lddw = a.dweight->stride[0];
  }
  j.slice_rows = blocks(blocks(j.V, BACKWARD_ROWS), BACKWARD_SLICES) * BACKWARD_ROWS;
  const int64_t slices = blocks(j.V, j.slice_rows), lanes = self->kernels->lanes;
  j.states = shared_scratch(self, SLOT_C, (uint64_t)((j.C + lanes) * j.T) * 4);
  j.partial = shared_scratch(self, SLOT_D, (uint64_t)(slices * j.T * j.C) * 4);
  if (!j.states || !j.partial || reserve_local(self, slice_bytes(&j)) != SPAR_OK)
    return SPAR_E_NOMEM;
  if (j.dW)
    spar_team_for(self->team, blocks(j.C, self->kernels->panel_lanes), 1, pack_channels, &j);
  spar_team_for(self->team, slices, 1, backward_slices, &j);
  if (j.wants_dh) spar_team_for(self->team, j.T, 32, join_hidden, &j);
  return SPAR_OK;
}
