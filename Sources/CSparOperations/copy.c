/* Copies with conversion, row gather and scatter; embedding and its gradient. */
#include "backend.h"
#include "dtypes.h"

static int64_t row_grain(int64_t C) { return most(1, 16384 / most(1, C)); }

typedef struct copy_job {
  row_view x, y;
  int32_t from, to;
  const int32_t *x_rows, *y_rows;
} copy_job;

static void copy_rows(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const copy_job *j = arg;
  for (int64_t r = begin; r < end; r++)
    convert_run(j->x.C, j->from, row_at(&j->x, j->x_rows ? j->x_rows[r] : r), j->to,
                row_at(&j->y, j->y_rows ? j->y_rows[r] : r));
}

static int known(const spar_tensor *t) {
  return t && (t->data || elements(t) == 0) && t->rank <= SPAR_MAX_RANK;
}

/* Rows here are those of the first axis: [T, ...] as T rows of everything else, if dense. */
static int whole_rows(const spar_tensor *t, row_view *v) {
  int64_t C = 1;
  for (int32_t i = t->rank - 1; i > 0; i--) {
    if (t->shape[i] > 1 && t->stride[i] != C) return 0;
    C *= t->shape[i];
  }
  spar_tensor flat = *t;
  flat.rank = 2;
  flat.shape[1] = C;
  flat.stride[1] = 1;
  *v = rows_of(&flat);
  return 1;
}

/* One row of the first axis as a tensor of its own. */
static spar_tensor row_tensor(const spar_tensor *t, int64_t r) {
  spar_tensor s = *t;
  s.rank = t->rank - 1;
  s.data = (char *)t->data + r * t->stride[0] * (int64_t)spar_dtype_size(t->dtype);
  for (int32_t i = 0; i < s.rank; i++) {
    s.shape[i] = t->shape[i + 1];
    s.stride[i] = t->stride[i + 1];
  }
  return s;
}

static spar_status bad_rows(backend *self) {
  return fail(self, SPAR_E_INVALID, "copy: a row index is outside its tensor");
}

static spar_status copy_chosen(backend *self, const spar_copy_args *a) {
  if (a->x->rank < 1 || a->y->rank < 1) return SPAR_UNSUPPORTED;
  copy_job j = {.from = a->x->dtype, .to = a->y->dtype, .x_rows = a->x_rows, .y_rows = a->y_rows};
  for (int64_t r = 0; r < a->n_rows; r++) {
    const int64_t x = a->x_rows ? a->x_rows[r] : r, y = a->y_rows ? a->y_rows[r] : r;
    if (x < 0 || x >= a->x->shape[0] || y < 0 || y >= a->y->shape[0]) return bad_rows(self);
  }
  if (whole_rows(a->x, &j.x) && whole_rows(a->y, &j.y)) {
    if (j.x.C != j.y.C)
      return fail(self, SPAR_E_INVALID, "copy: rows of x and y differ in size");
    spar_team_for(self->team, a->n_rows, row_grain(j.x.C), copy_rows, &j);
    return SPAR_OK;
  }
  for (int64_t r = 0; r < a->n_rows; r++) {
    const spar_tensor x = row_tensor(a->x, a->x_rows ? a->x_rows[r] : r);
    const spar_tensor y = row_tensor(a->y, a->y_rows ? a->y_rows[r] : r);
    copy_job one = {.from = j.from, .to = j.to, .x = rows_of(&x), .y = rows_of(&y)};
    if (one.x.rows != one.y.rows || one.x.C != one.y.C)
      return fail(self, SPAR_E_INVALID, "copy: rows of x and y differ in shape");
    spar_team_for(self->team, one.x.rows, row_grain(one.x.C), copy_rows, &one);
  }
  return SPAR_OK;
}

spar_status spar_cpu_copy(void *p, const spar_copy_args *raw) {
  backend *self = p;
  ADOPT(spar_copy_args, raw);
  if (!known(a.x) || !known(a.y) || !can_convert(a.x->dtype, a.y->dtype)) return SPAR_UNSUPPORTED;
  if (a.n_rows > 0) return copy_chosen(self, &a);
  copy_job j = {.x = rows_of(a.x), .y = rows_of(a.y), .from = a.x->dtype, .to = a.y->dtype};
  if (elements(a.x) != elements(a.y))
    return fail(self, SPAR_E_INVALID, "copy: x and y differ in size");
  if (j.x.dense && j.y.dense) { /* runs of 4096 whatever the rows are */
    const int64_t n = j.x.rows * j.x.C, run = 4096;
    const int64_t from = (int64_t)spar_dtype_size(j.from), to = (int64_t)spar_dtype_size(j.to);
    const int64_t whole = n / run * run;
    copy_job rest = j;
    j.x = (row_view){.p = j.x.p, .rows = n / run, .C = run, .step = run * from, .even = 1};
    j.y = (row_view){.p = j.y.p, .rows = n / run, .C = run, .step = run * to, .even = 1};
    spar_team_for(self->team, n / run, 4, copy_rows, &j);
    if (n > whole)
      convert_run(n - whole, j.from, rest.x.p + whole * from, j.to, rest.y.p + whole * to);
    return SPAR_OK;
  }
  if (j.x.rows != j.y.rows || j.x.C != j.y.C)
    return fail(self, SPAR_E_INVALID, "copy: x and y differ in shape");
  spar_team_for(self->team, j.x.rows, row_grain(j.x.C), copy_rows, &j);
  return SPAR_OK;
}

static spar_status check_ids(backend *self, const int32_t *ids, int64_t T, int64_t V) {
  for (int64_t t = 0; t < T; t++)
    if (ids[t] < 0 || ids[t] >= V)
      return fail(self, SPAR_E_INVALID, "embed: a token id is beyond the table");
  return SPAR_OK;
}

typedef struct lookup_job {
  const spar_kernels *f;
  const char *table;
  int32_t dtype;
  int64_t row_bytes;
  row_view y;
  const int32_t *ids;
} lookup_job;

static void decode_rows(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const lookup_job *j = arg;
  for (int64_t t = begin; t < end; t++)
    j->f->decode(j->dtype, j->y.C, j->table + j->ids[t] * j->row_bytes, row_at(&j->y, t));
}

/* From a table of stored weights. */
static spar_status look_up(backend *self, const spar_embed_args *a) {
  const spar_tensor *table = a->table;
  const int64_t block = spar_dtype_block(table->dtype);
  lookup_job j = {.f = self->kernels, .table = table->data, .dtype = table->dtype,
                  .row_bytes = spar_dtype_bytes(table->dtype, table->stride[0]),
                  .y = rows_of(a->y), .ids = a->ids};
  if (j.y.C != table->shape[1] || (j.y.C | table->stride[0]) % block)
    return fail(self, SPAR_E_INVALID, "embed: rows of table and y differ, or are no whole blocks");
  const spar_status status = check_ids(self, a->ids, j.y.rows, table->shape[0]);
  if (status == SPAR_OK) spar_team_for(self->team, j.y.rows, row_grain(j.y.C), decode_rows, &j);
  return status;
}

spar_status spar_cpu_embed(void *p, const spar_embed_args *raw) {
  backend *self = p;
  ADOPT(spar_embed_args, raw);
  if (is_stored(a.table) && is_f32(a.y) && a.y->rank == 2)
    return look_up(self, &a);
  if (!known(a.table) || !known(a.y) || a.table->rank != 2 || a.y->rank != 2 ||
      !can_convert(a.table->dtype, a.y->dtype))
    return SPAR_UNSUPPORTED;
  copy_job j = {.x = rows_of(a.table), .y = rows_of(a.y), .from = a.table->dtype,
                .to = a.y->dtype, .x_rows = a.ids};
  if (j.x.C != j.y.C)
    return fail(self, SPAR_E_INVALID, "embed: rows of table and y differ in size");
  const spar_status status = check_ids(self, a.ids, j.y.rows, j.x.rows);
  if (status == SPAR_OK) spar_team_for(self->team, j.y.rows, row_grain(j.y.C), copy_rows, &j);
  return status;
}

typedef struct scatter_job {
  const spar_kernels *f;
  row_view dy, d;
  const int32_t *ids;
} scatter_job;

/* Workers own columns, so that equal ids add up in the order of t. */
static void add_columns(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const scatter_job *j = arg;
  for (int64_t t = 0; t < j->dy.rows; t++)
    j->f->add(end - begin, (const float *)row_at(&j->dy, t) + begin,
              (float *)row_at(&j->d, j->ids[t]) + begin);
}

spar_status spar_cpu_embed_bwd(void *p, const spar_embed_args *raw) {
  backend *self = p;
  ADOPT(spar_embed_args, raw);
  if (!is_f32(a.dy) || !is_f32(a.dtable) || a.dy->rank != 2 || a.dtable->rank != 2)
    return SPAR_UNSUPPORTED;
  scatter_job j = {.f = self->kernels, .dy = rows_of(a.dy), .d = rows_of(a.dtable), .ids = a.ids};
  if (j.dy.C != j.d.C)
    return fail(self, SPAR_E_INVALID, "embed_bwd: rows of dtable and dy differ in size");
  const spar_status status = check_ids(self, a.ids, j.dy.rows, j.d.rows);
  if (status == SPAR_OK) spar_team_for(self->team, j.dy.C, 128, add_columns, &j);
  return status;
}
