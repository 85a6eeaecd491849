// C = alpha op(A) op(B) + beta C + bias by dnnl::matmul, one thread per tile of C.
#include "onednn.hpp"

#include <algorithm>
#include <cstring>

using dnnl::memory;

namespace {

// Tiles of C.  Each packs its operands anew, so they are large; a few rows (decoding) are cut
// finely instead, as all the work is then in reading B.
constexpr int64_t TILE_ROWS = 256, TILE_COLUMNS = 512, FEW_ROWS = 32, FEW_COLUMNS = 128;

struct Matrix {
  char *data;
  memory::data_type type;
  int64_t rows, columns, stride; // as stored
  int64_t batch[2], batch_stride[2];

  explicit Matrix(const spar_tensor &t) {
    const int32_t r = t.rank;
    data = static_cast<char *>(t.data);
    type = t.dtype == SPAR_F32 ? memory::data_type::f32 : memory::data_type::bf16;
    rows = t.shape[r - 2];
    columns = t.shape[r - 1];
    stride = rows > 1 ? t.stride[r - 2] : columns; // that of a single row means nothing
    for (int axis = 0; axis < 2; axis++) {
      const int32_t at = r - 4 + axis;
      batch[axis] = at >= 0 ? t.shape[at] : 1;
      // Axes that an operand lacks, or has once, are shared by all matrices.
      batch_stride[axis] = batch[axis] > 1 ? t.stride[at] : 0;
    }
  }

  char *at(int64_t i, int64_t j, int64_t row, int64_t column) const {
    const int64_t offset =
        i * batch_stride[0] + j * batch_stride[1] + row * stride + column;
    return data + offset * static_cast<int64_t>(memory::data_type_size(type));
  }
};

Matrix vector_of(const std::vector<float> &zeros, memory::data_type type, int64_t rows,
                 int64_t columns) {
  spar_tensor t = {};
  t.data = const_cast<float *>(zeros.data());
  t.dtype = type == memory::data_type::f32 ? SPAR_F32 : SPAR_BF16;
  t.rank = 2;
  t.shape[0] = rows;
  t.shape[1] = t.stride[0] = columns;
  t.stride[1] = 1;
  return Matrix(t);
}

struct Call {
  Matrix a, b, c;
  bool trans_a, trans_b;
  const float *bias;
  float alpha, beta;
  int64_t m, n, k;
};

// oneDNN knows transposition as strides: op(A) is m x k with strides (1, lda).
memory::desc view(const Matrix &matrix, bool transposed, int64_t rows, int64_t columns) {
  using dims = memory::dims;
  return {{rows, columns}, matrix.type, transposed ? dims{1, matrix.stride} : dims{matrix.stride, 1}};
}

int64_t bits(float x) {
  int32_t b;
  std::memcpy(&b, &x, sizeof b);
  return b;
}

const Product &product(Backend &me, const Call &call, int64_t m, int64_t n) {
  const ProductKey key = {m, n, call.k, call.a.stride, call.b.stride, call.c.stride,
                          call.trans_a | call.trans_b << 1 | (call.bias != nullptr) << 2 |
                              static_cast<int>(call.a.type) << 8 | static_cast<int>(call.c.type) << 16,
                          bits(call.alpha), bits(call.beta), 0};
  if (const auto found = me.products.find(key); found != me.products.end()) return found->second;

  Product p;
  p.a = view(call.a, call.trans_a, m, call.k);
  p.b = view(call.b, call.trans_b, call.k, n);
  p.c = view(call.c, false, m, n);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user); // ours: slices run side by side
  if (call.alpha != 1) attributes.set_output_scales(0, {call.alpha});
  dnnl::post_ops after; // matmul's own bias would be scaled by alpha, the interface's is not
  if (call.beta != 0) after.append_sum(call.beta);
  if (call.bias) {
    p.bias = {{1, n}, memory::data_type::f32, memory::dims{n, 1}};
    after.append_binary(dnnl::algorithm::binary_add, p.bias);
  }
  attributes.set_post_ops(after);
  const dnnl::matmul::primitive_desc described({p.a, p.b, p.c}, attributes, me.engine);
  p.run = dnnl::matmul(described);
  p.scratch = described.scratchpad_desc();
  return me.products.emplace(key, p).first->second;
}

void multiply(Backend &me, const Call &call) {
  const int64_t rows = TILE_ROWS, columns = call.m <= FEW_ROWS ? FEW_COLUMNS : TILE_COLUMNS;
  const int64_t down = (call.m + rows - 1) / rows, across = (call.n + columns - 1) / columns;
  if (me.products.size() + 4 > me.capacity) me.products.clear();
  // Compiled here, on one thread; the slices only read the cache.
  const int64_t last_m = call.m - (down - 1) * rows, last_n = call.n - (across - 1) * columns;
  const Product *tiles[2][2];
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      tiles[i][j] = &product(me, call, i || down == 1 ? last_m : rows,
                             j || across == 1 ? last_n : columns);

  const int64_t matrices = call.c.batch[0] * call.c.batch[1];
  parallel(me, matrices * down * across, [&](int64_t index, Worker &worker) {
    const int64_t matrix = index / (down * across), tile = index % (down * across);
    const int64_t i = matrix / call.c.batch[1], j = matrix % call.c.batch[1];
    const int64_t row = tile / across, column = tile % across;
    const Product &p = *tiles[row == down - 1][column == across - 1];
    const int64_t r = row * rows, c = column * columns;
    worker.scratch.resize(std::max(worker.scratch.size(), p.scratch.get_size()));
    Arguments arguments = {
        {DNNL_ARG_SRC, me.at(p.a, call.a.at(i, j, call.trans_a ? 0 : r, call.trans_a ? r : 0))},
        {DNNL_ARG_WEIGHTS, me.at(p.b, call.b.at(i, j, call.trans_b ? c : 0, call.trans_b ? 0 : c))},
        {DNNL_ARG_DST, me.at(p.c, call.c.at(i, j, r, c))},
        {DNNL_ARG_SCRATCHPAD, me.at(p.scratch, worker.scratch.data())}};
    if (call.bias) {
      const int position = call.beta != 0 ? 1 : 0; // after the sum
      arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(position) | DNNL_ARG_SRC_1,
                        me.at(p.bias, call.bias + c));
    }
    p.run.execute(worker.stream, arguments);
    worker.stream.wait();
  });
}

} // namespace

spar_status gemm(void *self, const spar_gemm_args *raw) {
  auto &me = *static_cast<Backend *>(self);
  return guarded(me.host, [&]() -> spar_status {
    const auto args = adopted(raw);
    // UNSUPPORTED depends on types and ranks alone, and nothing has been written yet.
    const bool is_float = is(args.a, SPAR_F32) && is(args.b, SPAR_F32) && is(args.c, SPAR_F32);
    const bool is_half = is(args.a, SPAR_BF16) && is(args.b, SPAR_BF16) &&
                         (is(args.c, SPAR_F32) || is(args.c, SPAR_BF16));
    if (!(is_float || is_half) || args.a->rank < 2 || args.b->rank < 2 || args.c->rank < 2 ||
        (args.bias && !is(args.bias, SPAR_F32)))
      return SPAR_UNSUPPORTED;
    Call call = {Matrix(*args.a), Matrix(*args.b), Matrix(*args.c),
                 (args.flags & SPAR_TRANS_A) != 0, (args.flags & SPAR_TRANS_B) != 0,
                 args.bias ? static_cast<const float *>(args.bias->data) : nullptr,
                 static_cast<float>(args.alpha), static_cast<float>(args.beta),
                 args.c->shape[args.c->rank - 2], args.c->shape[args.c->rank - 1], 0};
    call.k = call.trans_a ? call.a.rows : call.a.columns;
    const bool fits = (call.trans_a ? call.a.columns : call.a.rows) == call.m &&
                      (call.trans_b ? call.b.rows : call.b.columns) == call.n &&
                      (call.trans_b ? call.b.columns : call.b.rows) == call.k &&
                      (!args.bias || elements(*args.bias) == call.n);
    if (!fits) throw std::invalid_argument("onednn gemm: the shapes of A, B, C and bias disagree");
    if (elements(*args.c) == 0) return SPAR_OK;
    // oneDNN 2.6 divides by zero when a sum is empty: make it a sum of one zero product.
    const std::vector<float> zeros(call.k == 0 ? std::max(call.m, call.n) : 0);
    if (call.k == 0) {
      call.trans_a = call.trans_b = false;
      call.a = vector_of(zeros, call.a.type, call.m, 1);
      call.b = vector_of(zeros, call.b.type, 1, call.n);
      call.k = 1;
    }
    multiply(me, call);
    return SPAR_OK;
  });
}
