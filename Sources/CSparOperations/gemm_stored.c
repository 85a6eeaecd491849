/*
 * Products with weights as they are stored (16-bit floats, blocks of 32): decoded on the way into
 * the kernels that multiply f32, so the bits are those of weights expanded beforehand.
 */
#include "gemm.h"

enum {
  PACK_K = 192,   /* of k per slice of packing */
  FEW = 8,        /* rows of x that few_stored takes at a time */
  FEW_CHUNK = 64, /* rows of W per slice then */
  SLAB = 32,      /* rows of W decoded at a time: up to 256 KiB, beside a panel in L2 */
  SLAB_PAD = 16   /* floats between decoded rows: rows 8 KiB apart would share sets of the cache */
};

static const char *row_of(const matrix_job *j, int64_t row) {
  return (const char *)j->B + row * j->row_bytes;
}

static void multiply_few(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const matrix_job *j = arg;
  const int64_t each = blocks(j->m, blocks(j->m, FEW)); /* even parts of at most FEW */
  for (int64_t s = begin; s < end; s++)
    for (int64_t i = 0; i < j->m; i += each) {
      const int64_t row = s * FEW_CHUNK;
      const spar_few_stored p = {
        .k = j->kb, .m = least(each, j->m - i), .rows = least(FEW_CHUNK, j->n - row),
        .x = j->A + i * j->lda + j->k0, .ldx = j->lda,
        .w = row_of(j, row) + spar_dtype_bytes(j->stored, j->k0), .row_bytes = j->row_bytes,
        .dtype = j->stored};
      spar_epilogue e = epilogue(j, 1);
      if (e.bias) e.bias += row;
      j->self->kernels->few_stored(&p, j->C + i * j->ldc + row, j->ldc, &e);
    }
}

/* A slab of W's rows is decoded once for all panels of x. */
static void multiply_slab(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const matrix_job *j = arg;
  const spar_kernels *f = j->self->kernels;
  const int64_t W = f->panel_lanes, step = j->kb + SLAB_PAD;
  float *slab = local_scratch(j->self, worker);
  for (int64_t s = begin; s < end; s++) {
    const int64_t row = s * SLAB, rows = least(SLAB, j->n - row);
    for (int64_t r = 0; r < rows; r++)
      f->decode(j->stored, j->kb, row_of(j, row + r) + spar_dtype_bytes(j->stored, j->k0),
                slab + r * step);
    spar_epilogue e = epilogue(j, 1);
    if (e.bias) e.bias += row;
    for (int64_t panel = 0; panel < blocks(j->m, W); panel++) {
      const int64_t lanes = lanes_of(j->m, panel, W);
      const spar_product p = {
        .k = j->kb, .lanes = lanes, .rows = rows, .panel = j->packed + panel * W * j->kb,
        .panel_step = blocks(lanes, f->lanes) * f->lanes, .b = slab,
        .group_step = f->tile_rows * step, .row_step = step, .t_step = 1};
      f->product(&p, j->C + panel * W * j->ldc + row, j->ldc, &e);
    }
  }
}

static void pack_part(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const matrix_job *j = arg;
  const spar_kernels *f = j->self->kernels;
  const int64_t W = f->panel_lanes, parts = blocks(j->kb, PACK_K);
  for (int64_t s = begin; s < end; s++) {
    const int64_t panel = s / parts, t = s % parts * PACK_K, lanes = lanes_of(j->m, panel, W);
    const int64_t width = blocks(lanes, f->lanes) * f->lanes;
    f->pack_rows(j->packed + panel * W * j->kb + t * width,
                 j->A + panel * W * j->lda + j->k0 + t, j->lda, NULL, lanes,
                 least(PACK_K, j->kb - t));
  }
}

static spar_status reserve_panels(matrix_job *j) {
  const int64_t W = j->self->kernels->panel_lanes;
  j->packed = shared_scratch(j->self, SLOT_A,
                             (uint64_t)(blocks(j->m, W) * W * least(j->k, K_BLOCK)) * 4);
  return j->packed ? SPAR_OK : SPAR_E_NOMEM;
}

/* Panels of x's rows, which all slabs share: block [k0, k0 + kb) of k. */
static void pack_panels(matrix_job *j) {
  const int64_t panels = blocks(j->m, j->self->kernels->panel_lanes);
  spar_team_for(j->self->team, panels * blocks(j->kb, PACK_K), 1, pack_part, j);
}

spar_status stored_nt(matrix_job *j) {
  backend *self = j->self;
  const int few = self->kernels->few_stored && j->m <= 2 * FEW;
  if (!few && reserve_panels(j) != SPAR_OK) return SPAR_E_NOMEM;
  const int64_t room = SLAB * (least(j->k, K_BLOCK) + SLAB_PAD);
  if (!few && reserve_local(self, (uint64_t)room * 4) != SPAR_OK) return SPAR_E_NOMEM;
  for (j->k0 = 0; j->k0 == 0 || j->k0 < j->k; j->k0 += K_BLOCK) {
    j->kb = least(K_BLOCK, j->k - j->k0);
    if (few) {
      spar_team_for(self->team, blocks(j->n, FEW_CHUNK), 1, multiply_few, j);
      continue;
    }
    pack_panels(j);
    spar_team_for(self->team, blocks(j->n, SLAB), 1, multiply_slab, j);
  }
  return SPAR_OK;
}

void pack_stored(const matrix_job *j, float *panel, int64_t col, int64_t lanes) {
  const spar_kernels *f = j->self->kernels;
  const int64_t block = spar_dtype_block(j->stored), width = blocks(lanes, f->lanes) * f->lanes;
  const int64_t first = col / block * block, skipped = col - first;
  const int64_t count = blocks(skipped + lanes, block) * block;
  float *row = panel + width * j->kb;
  for (int64_t t = 0; t < j->kb; t++) {
    f->decode(j->stored, count, row_of(j, j->k0 + t) + spar_dtype_bytes(j->stored, first), row);
    memcpy(panel + t * width, row + skipped, (size_t)lanes * sizeof(float));
    memset(panel + t * width + lanes, 0, (size_t)(width - lanes) * sizeof(float));
  }
}
