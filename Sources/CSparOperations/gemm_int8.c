/*
 * y = x W^T with x and W rounded to 8 bits: the opt-in of spar_int8.h.  Q8_0 and Q4_0 are such
 * numbers already; other weights are rounded in every call, which pays from some ten rows of x on.
 *
 * Lanes are rows of x, packed once; slabs of W are made whole numbers once for all of them.
 */
#include "gemm.h"

enum { SLAB = 32, BLOCK = 32 };

static uint64_t panel_bytes(const matrix_job *j) {
  const int64_t W = j->self->int8->panel_lanes, k = least(j->k, K_BLOCK);
  return (uint64_t)(W * k + W * (k / BLOCK) * 4);
}

/* Panel `i`: its numbers, then its scales. */
static spar_int8_panel panel_at(const matrix_job *j, int64_t i) {
  const spar_int8_kernels *f = j->self->int8;
  const int64_t W = f->panel_lanes, lanes = lanes_of(j->m, i, W);
  uint8_t *p = (uint8_t *)j->packed + (uint64_t)i * panel_bytes(j);
  return (spar_int8_panel){.q = p, .scale = (float *)(p + W * j->kb),
                           .width = blocks(lanes, f->lanes) * f->lanes};
}

static void pack_panel(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const matrix_job *j = arg;
  const spar_int8_kernels *f = j->self->int8;
  for (int64_t i = begin; i < end; i++) {
    const spar_int8_panel panel = panel_at(j, i);
    f->pack(&panel, j->A + i * f->panel_lanes * j->lda + j->k0, j->lda,
            lanes_of(j->m, i, f->panel_lanes), j->kb);
  }
}

/* Where row `row` of the block of k at work starts, f32 or stored. */
static const void *row_at_work(const matrix_job *j, int64_t row) {
  if (!j->stored) return j->B + row * j->ldb + j->k0;
  return (const char *)j->B + row * j->row_bytes + spar_dtype_bytes(j->stored, j->k0);
}

/* Row `row` in whole numbers; `decoded` is room for one in f32. */
static void whole_numbers(const matrix_job *j, int64_t row, float *decoded, spar_int8_block *out) {
  const void *w = row_at_work(j, row);
  if (j->stored == SPAR_Q8_0 || j->stored == SPAR_Q4_0) {
    j->self->int8->unpack(j->stored, j->kb, w, out);
    return;
  }
  if (j->stored) j->self->kernels->decode(j->stored, j->kb, w, decoded);
  j->self->int8->round(j->kb, j->stored ? decoded : w, out);
}

static void multiply_slab(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const matrix_job *j = arg;
  const spar_int8_kernels *f = j->self->int8;
  spar_int8_block *slab = local_scratch(j->self, worker);
  float *decoded = (float *)(slab + SLAB * (j->kb / BLOCK));
  for (int64_t s = begin; s < end; s++) {
    const int64_t row = s * SLAB, rows = least(SLAB, j->n - row);
    for (int64_t r = 0; r < rows; r++)
      whole_numbers(j, row + r, decoded, slab + r * (j->kb / BLOCK));
    spar_epilogue e = epilogue(j, 1);
    if (e.bias) e.bias += row;
    for (int64_t i = 0; i < blocks(j->m, f->panel_lanes); i++) {
      const spar_int8_panel panel = panel_at(j, i);
      f->product(j->kb, lanes_of(j->m, i, f->panel_lanes), rows, &panel, slab,
                 j->C + i * f->panel_lanes * j->ldc + row, j->ldc, &e);
    }
  }
}

int takes_int8(const matrix_job *j) { return j->self->int8 && j->k > 0 && j->k % BLOCK == 0; }

spar_status int8_nt(matrix_job *j) {
  backend *self = j->self;
  const int64_t panels = blocks(j->m, self->int8->panel_lanes), k = least(j->k, K_BLOCK);
  j->packed = shared_scratch(self, SLOT_A, (uint64_t)panels * panel_bytes(j));
  const uint64_t room = (uint64_t)(SLAB * (k / BLOCK)) * sizeof(spar_int8_block) + (uint64_t)k * 4;
  if (!j->packed || reserve_local(self, room) != SPAR_OK) return SPAR_E_NOMEM;
  for (j->k0 = 0; j->k0 == 0 || j->k0 < j->k; j->k0 += K_BLOCK) {
    j->kb = least(K_BLOCK, j->k - j->k0);
    spar_team_for(self->team, panels, 1, pack_panel, j);
    spar_team_for(self->team, blocks(j->n, SLAB), 1, multiply_slab, j);
  }
  return SPAR_OK;
}
