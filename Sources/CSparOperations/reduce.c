/* Reductions over fixed blocks, joined in order, in double. */
#include "backend.h"

#include <math.h>

enum { BLOCK_ROWS = 64, BLOCK_RUN = 65536, COLUMNS = 64 };

typedef struct reduce_job {
  const spar_kernels *f;
  row_view x;
  uint32_t kind;
  float *y;
  double *partial;
} reduce_job;

/* Workers own columns; each is summed over all rows in order. */
static void sum_columns(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const reduce_job *j = arg;
  double s[COLUMNS] = {0};
  for (int64_t r = 0; r < j->x.rows; r++) {
    const float *x = (const float *)row_at(&j->x, r) + begin;
    for (int64_t i = 0; i < end - begin; i++) s[i] += (double)x[i];
  }
  for (int64_t i = 0; i < end - begin; i++) j->y[begin + i] = (float)s[i];
}

static double reduce_run(const reduce_job *j, int64_t n, const float *x) {
  if (j->kind == SPAR_MAX_ALL) return (double)j->f->maximum(n, x);
  return j->kind == SPAR_SUM_ALL ? j->f->sum(n, x) : j->f->sum_of_squares(n, x);
}

static double join(const reduce_job *j, double a, double b) {
  if (j->kind != SPAR_MAX_ALL) return a + b;
  return a != a || a > b ? a : b;
}

static void reduce_dense(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const reduce_job *j = arg;
  j->partial[begin / BLOCK_RUN] = reduce_run(j, end - begin, (const float *)j->x.p + begin);
}

static void reduce_rows(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const reduce_job *j = arg;
  double s = reduce_run(j, j->x.C, row_at(&j->x, begin));
  for (int64_t r = begin + 1; r < end; r++) s = join(j, s, reduce_run(j, j->x.C, row_at(&j->x, r)));
  j->partial[begin / BLOCK_ROWS] = s;
}

spar_status spar_cpu_reduce(void *p, const spar_reduce_args *raw) {
  backend *self = p;
  ADOPT(spar_reduce_args, raw);
  if (!is_f32(a.x) || !is_f32(a.y) || a.kind < SPAR_SUM_ROWS || a.kind > SPAR_MAX_ALL)
    return SPAR_UNSUPPORTED;
  reduce_job j = {.f = self->kernels, .x = rows_of(a.x), .kind = a.kind, .y = a.y->data};
  if (elements(a.y) < (a.kind == SPAR_SUM_ROWS ? j.x.C : 1))
    return fail(self, SPAR_E_INVALID, "reduce: y is too small");
  if (a.kind == SPAR_SUM_ROWS) {
    spar_team_for(self->team, j.x.C, COLUMNS, sum_columns, &j);
    return SPAR_OK;
  }
  const int64_t n = j.x.dense ? j.x.rows * j.x.C : j.x.rows;
  const int64_t size = j.x.dense ? BLOCK_RUN : BLOCK_ROWS, count = blocks(n, size);
  j.partial = shared_scratch(self, SLOT_A, (uint64_t)count * sizeof(double));
  if (!j.partial) return SPAR_E_NOMEM;
  spar_team_for(self->team, n, size, j.x.dense ? reduce_dense : reduce_rows, &j);
  double s = a.kind == SPAR_MAX_ALL ? -INFINITY : 0;
  for (int64_t i = 0; i < count; i++) s = join(&j, s, j.partial[i]);
  *j.y = (float)s;
  return SPAR_OK;
}
