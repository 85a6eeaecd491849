/* Activations, sums, scalings, fills and the optimizer: elements are independent. */
#include "backend.h"

#include <math.h>

enum { RUN = 16384 }; /* elements per slice */

/* Views that are walked together: as one run when all are dense, else row by row. */
typedef struct run_job {
  const spar_kernels *f;
  row_view v[6]; /* absent: p NULL */
  int64_t n, C;  /* n rows (or elements, dense) */
  int32_t dense;
  uint32_t kind;
  float alpha, beta;
} run_job;

static int views_fit(run_job *j, int count) {
  j->dense = 1;
  const row_view *first = NULL;
  for (int i = 0; i < count; i++) {
    if (!j->v[i].C) continue;
    if (!first) first = &j->v[i];
    if (j->v[i].rows != first->rows || j->v[i].C != first->C) return 0;
    j->dense = j->dense && j->v[i].dense;
  }
  j->n = first ? first->rows : 0;
  j->C = first ? first->C : 0;
  return 1;
}

static float *at(const run_job *j, int i, int64_t r) {
  if (!j->v[i].p) return NULL;
  return j->dense ? (float *)j->v[i].p + r : row_at(&j->v[i], r);
}

static void run(const run_job *j, backend *self, spar_team_fn fn) {
  if (j->dense) spar_team_for(self->team, j->n * j->C, RUN, fn, (void *)(uintptr_t)j);
  else spar_team_for(self->team, j->n, most(1, RUN / most(1, j->C)), fn, (void *)(uintptr_t)j);
}

/* Calls BODY with r, n for the whole dense slice or for each row of it. */
#define EACH_RUN(BODY)                                          \
  const run_job *j = arg;                                       \
  (void)worker;                                                 \
  for (int64_t r = begin; r < end; r = j->dense ? end : r + 1) { \
    const int64_t n = j->dense ? end - begin : j->C;            \
    BODY;                                                       \
  }

static row_view view_or_none(const spar_tensor *t) {
  const row_view none = {0};
  return t ? rows_of(t) : none;
}

static int activation_known(uint32_t kind) { return kind >= SPAR_RELU && kind <= SPAR_SIGMOID; }

static void activate(void *arg, int64_t begin, int64_t end, int32_t worker) {
  EACH_RUN(j->f->activation(j->kind, n, at(j, 0, r), at(j, 1, r), at(j, 2, r)))
}

static void activate_bwd(void *arg, int64_t begin, int64_t end, int32_t worker) {
  EACH_RUN(j->f->activation_bwd(j->kind, n, at(j, 0, r), at(j, 1, r), at(j, 2, r), at(j, 3, r),
                                at(j, 4, r)))
}

spar_status spar_cpu_activation(void *p, const spar_activation_args *raw) {
  backend *self = p;
  ADOPT(spar_activation_args, raw);
  if (!is_f32(a.x) || !is_f32(a.y) || !is_f32_or_absent(a.gate) || !activation_known(a.kind))
    return SPAR_UNSUPPORTED;
  run_job j = {.f = self->kernels, .kind = a.kind,
               .v = {rows_of(a.x), view_or_none(a.gate), rows_of(a.y)}};
  if (!views_fit(&j, 3)) return fail(self, SPAR_E_INVALID, "activation: shapes differ");
  run(&j, self, activate);
  return SPAR_OK;
}

spar_status spar_cpu_activation_bwd(void *p, const spar_activation_args *raw) {
  backend *self = p;
  ADOPT(spar_activation_args, raw);
  if (!is_f32(a.x) || !is_f32(a.dy) || !is_f32_or_absent(a.dx) || !is_f32_or_absent(a.gate) ||
      !is_f32_or_absent(a.dgate) || !activation_known(a.kind))
    return SPAR_UNSUPPORTED;
  run_job j = {.f = self->kernels, .kind = a.kind,
               .v = {rows_of(a.x), view_or_none(a.gate), rows_of(a.dy), view_or_none(a.dx),
                     view_or_none(a.dgate)}};
  if (!views_fit(&j, 5))
    return fail(self, SPAR_E_INVALID, "activation_bwd: shapes differ");
  run(&j, self, activate_bwd);
  return SPAR_OK;
}

static void add_two(void *arg, int64_t begin, int64_t end, int32_t worker) {
  EACH_RUN(j->f->axpby(n, j->alpha, at(j, 0, r), j->beta, at(j, 1, r), at(j, 2, r)))
}

static void multiply_two(void *arg, int64_t begin, int64_t end, int32_t worker) {
  EACH_RUN(j->f->multiply(n, j->alpha * j->beta, at(j, 0, r), at(j, 1, r), at(j, 2, r)))
}

spar_status spar_cpu_binary(void *p, const spar_binary_args *raw) {
  backend *self = p;
  ADOPT(spar_binary_args, raw);
  if (!is_f32(a.x) || !is_f32(a.z) || !is_f32(a.y) || (a.kind != SPAR_ADD && a.kind != SPAR_MUL) ||
      a.z->rank > a.x->rank)
    return SPAR_UNSUPPORTED;
  run_job j = {.f = self->kernels, .alpha = (float)a.alpha, .beta = (float)a.beta,
               .v = {rows_of(a.x), broadcast_rows(a.z, a.x), rows_of(a.y)}};
  /* z spreads over outer axes only: its last axis is x's. */
  if (!views_fit(&j, 3) || (a.x->rank && (!a.z->rank || a.z->shape[a.z->rank - 1] != j.v[0].C)))
    return fail(self, SPAR_E_INVALID, "binary: x, y and z do not fit one another");
  run(&j, self, a.kind == SPAR_ADD ? add_two : multiply_two);
  return SPAR_OK;
}

static void fill_run(void *arg, int64_t begin, int64_t end, int32_t worker) {
  EACH_RUN(j->f->fill(n, j->alpha, at(j, 0, r)))
}

spar_status spar_cpu_fill(void *p, spar_tensor *y, double value) {
  backend *self = p;
  if (!is_f32(y)) return SPAR_UNSUPPORTED;
  run_job j = {.f = self->kernels, .alpha = (float)value, .v = {rows_of(y)}};
  views_fit(&j, 1);
  run(&j, self, fill_run);
  return SPAR_OK;
}

typedef struct step_job {
  const spar_kernels *f;
  spar_step step;
  float *p, *m, *v;
  const float *g;
} step_job;

static void step(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const step_job *j = arg;
  j->f->optimize(&j->step, end - begin, j->p + begin, j->m ? j->m + begin : NULL,
                 j->v ? j->v + begin : NULL, j->g + begin);
}

static int dense_or_absent(const spar_tensor *t) { return !t || rows_of(t).dense; }

spar_status spar_cpu_optimizer(void *p, const spar_optimizer_args *raw) {
  backend *self = p;
  ADOPT(spar_optimizer_args, raw);
  if (!is_f32(a.p) || !is_f32(a.g) || !is_f32_or_absent(a.m) || !is_f32_or_absent(a.v) ||
      a.master || a.kind < SPAR_OPT_ADAMW || a.kind > SPAR_OPT_LION)
    return SPAR_UNSUPPORTED;
  const int64_t n = elements(a.p);
  const int needs_m = a.kind == SPAR_OPT_ADAMW || a.kind == SPAR_OPT_LION || a.momentum != 0;
  const int needs_v = a.kind == SPAR_OPT_ADAMW || a.kind == SPAR_OPT_RMSPROP;
  if (elements(a.g) != n || (needs_m && (!a.m || elements(a.m) != n)) ||
      (needs_v && (!a.v || elements(a.v) != n)) || !dense_or_absent(a.p) ||
      !dense_or_absent(a.g) || !dense_or_absent(a.m) || !dense_or_absent(a.v))
    return fail(self, SPAR_E_INVALID,
                "optimizer: p, g and states must be dense and of one size");
  const double t = (double)a.step;
  step_job j = {.f = self->kernels,
                .step = {.kind = a.kind, .lr = (float)a.lr, .beta1 = (float)a.beta1,
                         .beta2 = (float)a.beta2, .eps = (float)a.eps,
                         .weight_decay = (float)a.weight_decay, .momentum = (float)a.momentum,
                         .grad_scale = (float)a.grad_scale,
                         .correction1 = (float)(1 / (1 - pow(a.beta1, t))),
                         .correction2 = (float)(1 / (1 - pow(a.beta2, t)))},
                .p = a.p->data, .m = needs_m ? vector_of(a.m) : NULL,
                .v = needs_v ? vector_of(a.v) : NULL, .g = a.g->data};
  spar_team_for(self->team, n, 4 * RUN, step, &j);
  return SPAR_OK;
}
