/*
 * C = alpha op(A) op(B) + beta C + bias.
 *
 * y = x W^T (TRANS_B): lanes are rows of A, packed; W is read where it lies.  So a row of y has the
 * same bits in a batch of 1 or 1000: decoding, scoring and training agree.
 * Other products: lanes are columns of C; B is packed strip by strip by the worker that needs it.
 */
#include "gemm.h"

/* The longest panel: 2048 * 48 floats, 384 KiB, leaves room for B's rows in 1 MiB of L2. */
enum {
  PART_FLOATS = 2 << 20, /* of W per part, within these numbers of rows */
  PART_LEAST = 128,
  PART_MOST = 1024,
  LINE = 16, /* floats of a cache line */
  ROWS_PER_STRIP = 2048
};

/* ---- y = x W^T ---- */

/* Slices are (part of W's rows, panel of x).  Whoever multiplies a panel packs it, so it lies in
 * that core's second-level cache while the part streams by; a part, of 8 MiB, stays in the
 * third-level cache while the panels do.  A panel packed by another core costs more to fetch than
 * to pack again: 1 % of the products with 512 rows. */
static void multiply_nt(void *arg, int64_t begin, int64_t end, int32_t worker) {
  matrix_job own = *(const matrix_job *)arg, *j = &own;
  const spar_kernels *f = j->self->kernels;
  const int64_t W = f->panel_lanes, panels = blocks(j->m, W);
  float *packed = local_scratch(j->self, worker);
  for (int64_t s = begin; s < end; s++) {
    const int64_t panel = s % panels, row = s / panels * j->part, lanes = lanes_of(j->m, panel, W);
    for (j->k0 = 0; j->k0 == 0 || j->k0 < j->k; j->k0 += K_BLOCK) {
      j->kb = least(K_BLOCK, j->k - j->k0);
      f->pack_rows(packed, j->A + panel * W * j->lda + j->k0, j->lda, NULL, lanes, j->kb);
      const spar_product p = {
        .k = j->kb, .lanes = lanes, .rows = least(j->part, j->n - row), .panel = packed,
        .panel_step = blocks(lanes, f->lanes) * f->lanes, .b = j->B + row * j->ldb + j->k0,
        .group_step = f->tile_rows * j->ldb, .row_step = j->ldb, .t_step = 1};
      spar_epilogue e = epilogue(j, 1);
      if (e.bias) e.bias += row;
      f->product(&p, j->C + panel * W * j->ldc + row, j->ldc, &e);
    }
  }
}

static spar_status own_nt(matrix_job *j) {
  backend *self = j->self;
  const int64_t W = self->kernels->panel_lanes, threads = spar_team_size(self->team);
  if (reserve_local(self, (uint64_t)(W * least(j->k, K_BLOCK)) * 4) != SPAR_OK)
    return SPAR_E_NOMEM;
  /* As many parts as make even work for the threads, in whole cache lines of y. */
  const int64_t rows = most(PART_LEAST, least(PART_MOST, PART_FLOATS / most(j->k, 1)));
  const int64_t parts = blocks(blocks(j->n, rows), threads) * threads;
  j->part = blocks(blocks(j->n, parts), LINE) * LINE;
  spar_team_for(self->team, blocks(j->m, W) * blocks(j->n, j->part), 1, multiply_nt, j);
  return SPAR_OK;
}

/* ---- other products ---- */

static void pack_a_strips(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const matrix_job *j = arg;
  j->self->kernels->pack_strips(j->packed + begin * j->kb, j->A + j->k0 * j->lda + begin, j->lda,
                                j->kb, end - begin);
}

static void multiply_strip(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const matrix_job *j = arg;
  const spar_kernels *f = j->self->kernels;
  const int64_t W = f->panel_lanes, row_blocks = blocks(j->m, ROWS_PER_STRIP);
  float *panel = local_scratch(j->self, worker);
  for (int64_t s = begin; s < end; s++) {
    const int64_t col = s / row_blocks * W, row = s % row_blocks * ROWS_PER_STRIP;
    const int64_t lanes = least(W, j->n - col), width = blocks(lanes, f->lanes) * f->lanes;
    if (j->stored)
      pack_stored(j, panel, col, lanes);
    else if (j->trans_b)
      f->pack_rows(panel, j->B + col * j->ldb + j->k0, j->ldb, NULL, lanes, j->kb);
    else
      f->pack_columns(panel, j->B + j->k0 * j->ldb + col, j->ldb, j->kb, lanes);
    spar_product p = {.k = j->kb, .lanes = lanes, .rows = least(ROWS_PER_STRIP, j->m - row),
                      .panel = panel, .panel_step = width};
    if (j->trans_a) {
      p.b = j->packed + row * j->kb;
      p.row_step = 1;
      p.t_step = f->tile_rows;
      p.group_step = f->tile_rows * j->kb;
    } else {
      p.b = j->A + row * j->lda + j->k0;
      p.row_step = j->lda;
      p.t_step = 1;
      p.group_step = f->tile_rows * j->lda;
    }
    spar_epilogue e = epilogue(j, 0);
    if (e.bias) e.bias += col;
    f->product(&p, j->C + row * j->ldc + col, j->ldc, &e);
  }
}

static spar_status own_strips(matrix_job *j) {
  backend *self = j->self;
  const spar_kernels *f = self->kernels;
  const int64_t W = f->panel_lanes, kb = least(j->k, K_BLOCK);
  const int64_t decoded = j->stored ? STORED_COLUMNS : 0;
  if (reserve_local(self, (uint64_t)(W * kb + decoded) * 4) != SPAR_OK) return SPAR_E_NOMEM;
  if (j->trans_a) {
    const int64_t padded = blocks(j->m, f->tile_rows) * f->tile_rows;
    j->packed = shared_scratch(self, SLOT_A, (uint64_t)(padded * kb) * 4);
    if (!j->packed) return SPAR_E_NOMEM;
  }
  for (j->k0 = 0; j->k0 == 0 || j->k0 < j->k; j->k0 += K_BLOCK) {
    j->kb = least(K_BLOCK, j->k - j->k0);
    if (j->trans_a) spar_team_for(self->team, j->m, 8 * f->tile_rows, pack_a_strips, j);
    spar_team_for(self->team, blocks(j->n, W) * blocks(j->m, ROWS_PER_STRIP), 1, multiply_strip, j);
  }
  return SPAR_OK;
}

/* ---- BLAS ---- */

/* Slices by shape only: packing repeats in each, so few and large. */
enum { BLAS_ROWS = 192, BLAS_COLUMNS = 768 };

static void multiply_blas(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const matrix_job *j = arg;
  const int64_t columns = blocks(j->n, BLAS_COLUMNS);
  for (int64_t s = begin; s < end; s++) {
    const int64_t row = s / columns * BLAS_ROWS, col = s % columns * BLAS_COLUMNS;
    const int64_t m = least(BLAS_ROWS, j->m - row), n = least(BLAS_COLUMNS, j->n - col);
    float *c = j->C + row * j->ldc + col;
    j->self->sgemm(BLAS_ROW_MAJOR, j->trans_a ? BLAS_TRANSPOSED : BLAS_PLAIN,
                   j->trans_b ? BLAS_TRANSPOSED : BLAS_PLAIN, (int)m, (int)n, (int)j->k, j->alpha,
                   j->A + (j->trans_a ? row : row * j->lda), (int)j->lda,
                   j->B + (j->trans_b ? col * j->ldb : col), (int)j->ldb, j->beta, c, (int)j->ldc);
    if (j->bias)
      for (int64_t i = 0; i < m; i++)
        j->self->kernels->add(n, j->bias + col, c + i * j->ldc);
  }
}

static spar_status multiply(matrix_job *j) {
  if (j->m == 0 || j->n == 0) return SPAR_OK;
  /* BLAS knows no broadcast rows (stride 0). */
  const int plain = j->lda > 0 && j->ldb > 0;
  if (j->self->sgemm && j->k > 0 && plain) {
    const int64_t slices = blocks(j->m, BLAS_ROWS) * blocks(j->n, BLAS_COLUMNS);
    spar_team_for(j->self->team, slices, 1, multiply_blas, j);
    return SPAR_OK;
  }
  if (j->trans_b && !j->trans_a) {
    if (takes_int8(j)) return int8_nt(j);
    return j->stored ? stored_nt(j) : own_nt(j);
  }
  return own_strips(j);
}

/* One matrix of stored weights: not transposed twice, whose rows do not lie along the lanes, and
 * not for BLAS. */
static int takes_stored(const backend *self, const spar_gemm_args *a) {
  const uint64_t both = SPAR_TRANS_A | SPAR_TRANS_B;
  return is_stored(a->b) && a->c->rank == 2 && !self->sgemm && (a->flags & both) != both;
}

spar_status spar_cpu_gemm(void *p, const spar_gemm_args *raw) {
  backend *self = p;
  ADOPT(spar_gemm_args, raw);
  if (!is_f32(a.a) || !is_f32(a.c) || !is_f32_or_absent(a.bias) || a.c->rank < 2)
    return SPAR_UNSUPPORTED;
  if (!is_f32(a.b) && !takes_stored(self, &a)) return SPAR_UNSUPPORTED;
  const int32_t r = a.c->rank;
  if (a.a->rank > r || a.b->rank > r || a.a->rank < 2 || a.b->rank < 2) return SPAR_UNSUPPORTED;
  const spar_tensor *A = a.a, *B = a.b, *C = a.c;
  matrix_job j = {.self = self, .bias = vector_of(a.bias), .trans_a = !!(a.flags & SPAR_TRANS_A),
                  .trans_b = !!(a.flags & SPAR_TRANS_B), .alpha = (float)a.alpha,
                  .beta = (float)a.beta};
  j.m = C->shape[r - 2];
  j.n = C->shape[r - 1];
  j.k = A->shape[A->rank - (j.trans_a ? 2 : 1)];
  j.lda = A->stride[A->rank - 2];
  j.ldb = B->stride[B->rank - 2];
  j.ldc = C->stride[r - 2];
  if (A->shape[A->rank - (j.trans_a ? 1 : 2)] != j.m ||
      B->shape[B->rank - (j.trans_b ? 2 : 1)] != j.n ||
      B->shape[B->rank - (j.trans_b ? 1 : 2)] != j.k)
    return fail(self, SPAR_E_INVALID, "gemm: the shapes of A, B and C do not agree");
  /* One-row matrices may carry any stride; BLAS wants one not below the row length. */
  j.lda = most(j.lda, A->shape[A->rank - 2] > 1 ? j.lda : A->shape[A->rank - 1]);
  j.ldb = most(j.ldb, B->shape[B->rank - 2] > 1 ? j.ldb : B->shape[B->rank - 1]);
  j.ldc = most(j.ldc, j.m > 1 ? j.ldc : j.n);
  if (!is_f32(B)) {
    j.stored = B->dtype;
    j.row_bytes = spar_dtype_bytes(B->dtype, j.ldb);
    if ((B->shape[1] | j.ldb) % spar_dtype_block(B->dtype))
      return fail(self, SPAR_E_INVALID, "gemm: rows of B are no whole blocks");
  }
  const int64_t n0 = r == 4 ? C->shape[0] : 1, n1 = r >= 3 ? C->shape[r - 3] : 1;
  for (int64_t i0 = 0; i0 < n0; i0++)
    for (int64_t i1 = 0; i1 < n1; i1++) {
      /* Outer axes an operand lacks, or has with extent 1, are shared by all matrices. */
#define MATRIX(T)                                                                            \
  ((float *)(T)->data + ((T)->rank == 4 && (T)->shape[0] > 1 ? i0 * (T)->stride[0] : 0) +   \
   ((T)->rank >= 3 && (T)->shape[(T)->rank - 3] > 1 ? i1 * (T)->stride[(T)->rank - 3] : 0))
      j.A = MATRIX(A);
      j.B = MATRIX(B);
      j.C = MATRIX(C);
#undef MATRIX
      const spar_status status = multiply(&j);
      if (status != SPAR_OK) return status;
    }
  return SPAR_OK;
}
