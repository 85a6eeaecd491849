/* RMS and layer norm.  Weights' gradients are summed over fixed blocks of rows, then joined. */
#include "backend.h"

#include <math.h>

enum { FORWARD_GRAIN = 8, BACKWARD_ROWS = 64, JOIN_COLUMNS = 256 };

typedef struct norm_job {
  backend *self;
  row_view x, y, dy, dx;
  const float *weight, *bias;
  float *mean, *rstd, *partial;
  float *dweight, *dbias;
  int64_t C, n_blocks;
  float eps;
  int32_t centred, accumulate;
} norm_job;

static int64_t rows_in_block(const norm_job *j, int64_t b) {
  return least(BACKWARD_ROWS, j->x.rows - b * BACKWARD_ROWS);
}

static void forward(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const norm_job *j = arg;
  const spar_kernels *f = j->self->kernels;
  for (int64_t t = begin; t < end; t++) {
    const float *x = row_at(&j->x, t);
    float *y = row_at(&j->y, t);
    float *rstd = j->rstd ? j->rstd + t : NULL;
    if (j->centred)
      f->layer_norm(j->C, x, j->weight, j->bias, j->eps, y, j->mean ? j->mean + t : NULL, rstd);
    else
      f->rms_norm(j->C, x, j->weight, j->bias, j->eps, y, rstd);
  }
}

static void backward(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const norm_job *j = arg;
  for (int64_t b = begin; b < end; b++) {
    float *dw = j->dweight ? j->partial + b * 2 * j->C : NULL;
    float *db = j->dbias ? j->partial + (b * 2 + 1) * j->C : NULL;
    if (dw) memset(dw, 0, (size_t)j->C * sizeof(float));
    if (db) memset(db, 0, (size_t)j->C * sizeof(float));
    for (int64_t i = 0; i < rows_in_block(j, b); i++) {
      const int64_t t = b * BACKWARD_ROWS + i;
      j->self->kernels->norm_bwd(j->C, row_at(&j->x, t), j->weight, row_at(&j->dy, t), j->centred,
                                 j->centred ? j->mean[t] : 0.f, j->rstd[t], j->accumulate,
                                 j->dx.p ? row_at(&j->dx, t) : NULL, dw, db);
    }
  }
}

static void join(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const norm_job *j = arg;
  for (int64_t b = 0; b < j->n_blocks; b++) {
    const float *p = j->partial + b * 2 * j->C + begin;
    if (j->dweight) j->self->kernels->add(end - begin, p, j->dweight + begin);
    if (j->dbias) j->self->kernels->add(end - begin, p + j->C, j->dbias + begin);
  }
}

spar_status spar_cpu_norm(void *p, const spar_norm_args *raw) {
  backend *self = p;
  ADOPT(spar_norm_args, raw);
  if (!is_f32(a.x) || !is_f32(a.y) || !is_f32_or_absent(a.weight) || !is_f32_or_absent(a.bias) ||
      !is_f32_or_absent(a.mean) || !is_f32_or_absent(a.rstd) ||
      (a.kind != SPAR_NORM_RMS && a.kind != SPAR_NORM_LAYER))
    return SPAR_UNSUPPORTED;
  norm_job j = {.self = self, .x = rows_of(a.x), .y = rows_of(a.y), .weight = vector_of(a.weight),
                .bias = vector_of(a.bias), .mean = vector_of(a.mean), .rstd = vector_of(a.rstd),
                .eps = (float)a.eps, .centred = a.kind == SPAR_NORM_LAYER};
  j.C = j.x.C;
  if (j.y.rows != j.x.rows || j.y.C != j.C)
    return fail(self, SPAR_E_INVALID, "norm: x and y differ in shape");
  spar_team_for(self->team, j.x.rows, FORWARD_GRAIN, forward, &j);
  return SPAR_OK;
}

spar_status spar_cpu_norm_bwd(void *p, const spar_norm_args *raw) {
  backend *self = p;
  ADOPT(spar_norm_args, raw);
  if (!is_f32(a.x) || !is_f32(a.dy) || !is_f32(a.rstd) || !is_f32_or_absent(a.weight) ||
      !is_f32_or_absent(a.dx) || !is_f32_or_absent(a.dweight) || !is_f32_or_absent(a.dbias) ||
      (a.kind != SPAR_NORM_RMS && a.kind != SPAR_NORM_LAYER) ||
      (a.kind == SPAR_NORM_LAYER && !is_f32(a.mean)))
    return SPAR_UNSUPPORTED;
  norm_job j = {.self = self, .x = rows_of(a.x), .dy = rows_of(a.dy),
                .weight = vector_of(a.weight), .mean = vector_of(a.mean),
                .rstd = vector_of(a.rstd), .dweight = vector_of(a.dweight),
                .dbias = vector_of(a.dbias), .centred = a.kind == SPAR_NORM_LAYER,
                .accumulate = !!(a.flags & SPAR_ACCUMULATE)};
  if (a.dx) j.dx = rows_of(a.dx);
  j.C = j.x.C;
  if (j.dy.rows != j.x.rows || j.dy.C != j.C || (a.dx && (j.dx.rows != j.x.rows || j.dx.C != j.C)))
    return fail(self, SPAR_E_INVALID, "norm_bwd: x, dy and dx differ in shape");
  j.n_blocks = blocks(j.x.rows, BACKWARD_ROWS);
  j.partial = shared_scratch(self, SLOT_A, (uint64_t)(j.n_blocks * 2 * j.C) * 4);
  if (!j.partial) return SPAR_E_NOMEM;
  spar_team_for(self->team, j.n_blocks, 1, backward, &j);
  if (j.dweight || j.dbias) spar_team_for(self->team, j.C, JOIN_COLUMNS, join, &j);
  return SPAR_OK;
}
