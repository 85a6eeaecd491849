/* Rotary embedding, softmax, and log-probabilities of given logits: rows are independent. */
#include "backend.h"

/* About 16 Ki elements a slice. */
static int64_t row_grain(int64_t C) { return most(1, 16384 / most(1, C)); }

typedef struct rope_job {
  const spar_kernels *f;
  row_view x, cos, sin;
  const int32_t *positions;
  int64_t H, D;
  int64_t row, head; /* strides in elements */
  float *p;
  float sign;
  int32_t interleaved;
} rope_job;

static void rotate(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const rope_job *j = arg;
  for (int64_t t = begin; t < end; t++) {
    const float *c = row_at(&j->cos, j->positions[t]), *s = row_at(&j->sin, j->positions[t]);
    for (int64_t h = 0; h < j->H; h++)
      j->f->rope(j->D / 2, j->interleaved, j->p + t * j->row + h * j->head, c, s, j->sign);
  }
}

spar_status spar_cpu_rope(void *p, const spar_rope_args *raw) {
  backend *self = p;
  ADOPT(spar_rope_args, raw);
  if (!is_f32(a.x) || a.x->rank != 3 || !is_f32(a.cos) || !is_f32(a.sin) || a.cos->rank != 2 ||
      a.sin->rank != 2)
    return SPAR_UNSUPPORTED;
  rope_job j = {.f = self->kernels, .cos = rows_of(a.cos), .sin = rows_of(a.sin),
                .positions = a.positions, .H = a.x->shape[1], .D = a.x->shape[2],
                .row = a.x->stride[0], .head = a.x->stride[1], .p = a.x->data,
                .sign = a.flags & SPAR_INVERSE ? -1.f : 1.f,
                .interleaved = !!(a.flags & SPAR_INTERLEAVED)};
  const int64_t T = a.x->shape[0];
  if (j.D % 2 || j.cos.C != j.D / 2 || j.sin.C != j.D / 2)
    return fail(self, SPAR_E_INVALID, "rope: tables must be [P, D/2] with D even");
  for (int64_t t = 0; t < T; t++)
    if (a.positions[t] < 0 || a.positions[t] >= least(j.cos.rows, j.sin.rows))
      return fail(self, SPAR_E_INVALID, "rope: a position is beyond the tables");
  spar_team_for(self->team, T, row_grain(j.H * j.D), rotate, &j);
  return SPAR_OK;
}

typedef struct row_job {
  const spar_kernels *f;
  row_view x, y, mask, dy;
  int64_t C;
  int32_t masked, entropic;
  float scale;
  const int32_t *targets;
  float *logp, *lse, *entropy;
  const float *coef;
} row_job;

static void softmax_rows(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const row_job *j = arg;
  for (int64_t r = begin; r < end; r++)
    j->f->softmax(j->C, row_at(&j->x, r), j->masked ? row_at(&j->mask, r) : NULL, j->scale,
                  row_at(&j->y, r));
}

static void softmax_bwd_rows(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const row_job *j = arg;
  for (int64_t r = begin; r < end; r++)
    j->f->softmax_bwd(j->C, row_at(&j->y, r), row_at(&j->dy, r), j->scale, row_at(&j->x, r));
}

/* The header leaves a missing scale as 0: default 1. */
static float scale_of(double s) { return s == 0 ? 1.f : (float)s; }

spar_status spar_cpu_softmax(void *p, const spar_softmax_args *raw) {
  backend *self = p;
  ADOPT(spar_softmax_args, raw);
  if (!is_f32(a.x) || !is_f32(a.y) || !is_f32_or_absent(a.mask)) return SPAR_UNSUPPORTED;
  if (a.mask && a.mask->rank > a.x->rank) return SPAR_UNSUPPORTED;
  row_job j = {.f = self->kernels, .x = rows_of(a.x), .y = rows_of(a.y),
               .scale = scale_of(a.scale)};
  j.C = j.x.C;
  if (a.mask) {
    if (a.mask->rank < 1 || a.mask->shape[a.mask->rank - 1] != j.C) return SPAR_UNSUPPORTED;
    j.mask = broadcast_rows(a.mask, a.x);
    j.masked = 1;
  }
  if (j.y.rows != j.x.rows || j.y.C != j.C)
    return fail(self, SPAR_E_INVALID, "softmax: x and y differ in shape");
  spar_team_for(self->team, j.x.rows, row_grain(j.C), softmax_rows, &j);
  return SPAR_OK;
}

spar_status spar_cpu_softmax_bwd(void *p, const spar_softmax_args *raw) {
  backend *self = p;
  ADOPT(spar_softmax_args, raw);
  if (!is_f32(a.y) || !is_f32(a.dy) || !is_f32(a.dx)) return SPAR_UNSUPPORTED;
  row_job j = {.f = self->kernels, .x = rows_of(a.dx), .y = rows_of(a.y), .dy = rows_of(a.dy),
               .scale = scale_of(a.scale)};
  j.C = j.y.C;
  if (j.x.rows != j.y.rows || j.dy.rows != j.y.rows || j.x.C != j.C || j.dy.C != j.C)
    return fail(self, SPAR_E_INVALID, "softmax_bwd: y, dy and dx differ in shape");
  spar_team_for(self->team, j.y.rows, row_grain(j.C), softmax_bwd_rows, &j);
  return SPAR_OK;
}

static void logp_rows(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const row_job *j = arg;
  for (int64_t r = begin; r < end; r++) {
    float lse = 0, entropy = 0, logp = 0;
    if (j->targets[r] >= 0) {
      const float *x = row_at(&j->x, r);
      j->f->log_sum_exp(j->C, x, j->scale, &lse, j->entropy ? &entropy : NULL);
      logp = x[j->targets[r]] * j->scale - lse;
    }
    if (j->logp) j->logp[r] = logp;
    if (j->lse) j->lse[r] = lse;
    if (j->entropy) j->entropy[r] = entropy;
  }
}

static void logp_bwd_rows(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const row_job *j = arg;
  for (int64_t r = begin; r < end; r++) {
    float *d = row_at(&j->y, r);
    if (j->targets[r] < 0)
      memset(d, 0, (size_t)j->C * sizeof(float));
    else
      j->f->logp_bwd(j->C, row_at(&j->x, r), j->scale, j->lse[r], j->coef[r], j->targets[r], d);
  }
}

static spar_status check_targets(backend *self, const row_job *j) {
  for (int64_t r = 0; r < j->x.rows; r++)
    if (j->targets[r] >= j->C)
      return fail(self, SPAR_E_INVALID, "logp: a target is beyond the vocabulary");
  return SPAR_OK;
}

spar_status spar_cpu_logp(void *p, const spar_logp_args *raw) {
  backend *self = p;
  ADOPT(spar_logp_args, raw);
  if (!is_f32(a.logits) || !is_f32_or_absent(a.logp) || !is_f32_or_absent(a.lse) ||
      !is_f32_or_absent(a.entropy))
    return SPAR_UNSUPPORTED;
  row_job j = {.f = self->kernels, .x = rows_of(a.logits), .targets = a.targets,
               .logp = vector_of(a.logp), .lse = vector_of(a.lse),
               .entropy = vector_of(a.entropy), .scale = scale_of(a.inv_temperature)};
  j.C = j.x.C;
  const spar_status status = check_targets(self, &j);
  if (status == SPAR_OK) spar_team_for(self->team, j.x.rows, row_grain(j.C), logp_rows, &j);
  return status;
}

spar_status spar_cpu_logp_bwd(void *p, const spar_logp_args *raw) {
  backend *self = p;
  ADOPT(spar_logp_args, raw);
  if (!is_f32(a.logits) || !is_f32(a.lse) || !is_f32(a.coef) || !is_f32(a.dlogits))
    return SPAR_UNSUPPORTED;
  row_job j = {.f = self->kernels, .x = rows_of(a.logits), .y = rows_of(a.dlogits),
               .targets = a.targets, .lse = vector_of(a.lse), .coef = vector_of(a.coef),
               .scale = scale_of(a.inv_temperature)};
  j.C = j.x.C;
  if (j.y.rows != j.x.rows || j.y.C != j.C)
    return fail(self, SPAR_E_INVALID, "logp_bwd: logits and dlogits differ in shape");
  const spar_status status = check_targets(self, &j);
  if (status == SPAR_OK) spar_team_for(self->team, j.x.rows, row_grain(j.C), logp_bwd_rows, &j);
  return status;
}
