/* The set of kernels of one instruction set; SPAR_TABLE and SPAR_NAME are its names. */
#include "lanes.h"
#include "transpose.h"
#include "product.h"
#include "stored.h"
#include "few_stored.h"
#include "rows.h"
#include "columns.h"
#include "relative.h"
#include "few_lanes.h"
#include "elementwise.h"
#include "optimizer.h"

const spar_kernels SPAR_TABLE = {
  .name = SPAR_NAME,
  .lanes = VL,
  .panel_lanes = PANEL,
  .tile_rows = TILE_ROWS,
  .product = product,
  .pack_rows = pack_rows,
  .pack_columns = pack_columns,
  .pack_strips = pack_strips,
  .decode = decode,
#if SPAR_LANES == 16
  .few_stored = few_stored,
#endif
  .few_rows = few_rows,
#if SPAR_LANES == 16
  .few_scores = few_scores,
#endif
  .few_attend = few_attend,
  .rms_norm = rms_norm,
  .layer_norm = layer_norm,
  .norm_bwd = norm_bwd,
  .rope = rope,
  .softmax = softmax,
  .softmax_bwd = softmax_bwd,
  .log_sum_exp = log_sum_exp,
  .logp_bwd = logp_bwd,
  .activation = activation,
  .activation_bwd = activation_bwd,
  .axpby = axpby,
  .multiply = multiply,
  .add = add,
  .fill = fill,
  .scale = scale,
  .sum = sum,
  .sum_of_squares = sum_of_squares,
  .maximum = maximum,
  .dot = dot,
  .optimize = optimize,
  .attend = attend,
  .attend_bwd = attend_bwd,
  .vocab = vocab,
  .vocab_bwd = vocab_bwd,
  .relative_add = relative_add,
  .relative_fold = relative_fold,
};
