// @NAME@: a compute backend for Spar.
//
// It has one operation, the product of two float32 matrices, in plain tiled loops on the host's
// threads.  All that it leaves out or answers SPAR_UNSUPPORTED to, Spar computes itself, from this
// product where it can.  Make `Product::rows` fast first, then add operations to the table at the
// end.
#include <algorithm>
#include <stdexcept>

#include "guarded.hpp"

namespace {

// A tile of B [kDepth, kColumns] fits the L1 cache.
constexpr int64_t kRows = 16, kColumns = 64, kDepth = 128;

// A float32 matrix, transposed by swapping its strides.
struct Matrix {
  const float *data;
  int64_t rows, columns, rowStride, columnStride;

  Matrix(const spar_tensor &t, bool transposed)
      : data(static_cast<const float *>(t.data)), rows(t.shape[0]), columns(t.shape[1]),
        rowStride(t.stride[0]), columnStride(t.stride[1]) {
    if (transposed) std::swap(rows, columns), std::swap(rowStride, columnStride);
  }
  float operator()(int64_t i, int64_t j) const { return data[i * rowStride + j * columnStride]; }
};

struct Product {
  Matrix a, b;
  const float *bias;
  float *c;
  int64_t cStride;
  float alpha, beta;

  // Rows [begin, end) of C; at most kRows of them.  Each cell is summed in the same order whatever
  // the thread count, hence SPAR_BE_DETERMINISTIC.
  void rows(int64_t begin, int64_t end) const noexcept {
    float tile[kDepth][kColumns] = {}, sum[kRows][kColumns];
    for (int64_t j0 = 0; j0 < b.columns; j0 += kColumns) {
      const int64_t width = std::min(kColumns, b.columns - j0);
      std::fill(&sum[0][0], &sum[0][0] + kRows * kColumns, 0.0f);
      // Columns beyond `width` are computed, never stored.
      std::fill(&tile[0][0], &tile[0][0] + kDepth * kColumns, 0.0f);
      for (int64_t p0 = 0; p0 < a.columns; p0 += kDepth) {
        const int64_t depth = std::min(kDepth, a.columns - p0);
        for (int64_t j = 0; j < width; j++)
          for (int64_t p = 0; p < depth; p++) tile[p][j] = b(p0 + p, j0 + j);
        for (int64_t i = begin; i < end; i++)
          for (int64_t p = 0; p < depth; p++) {
            const float x = a(i, p0 + p);
            for (int64_t j = 0; j < kColumns; j++) sum[i - begin][j] += x * tile[p][j];
          }
      }
      for (int64_t i = begin; i < end; i++)
        for (int64_t j = 0; j < width; j++) store(i, j0 + j, sum[i - begin][j]);
    }
  }

 private:
  void store(int64_t i, int64_t j, float sum) const noexcept {
    float &cell = c[i * cStride + j];
    float value = alpha * sum;
    if (beta != 0) value += beta * cell;  // beta 0: C is not read, it may hold NaN
    if (bias) value += bias[j];
    cell = value;
  }
};

struct Backend {
  const spar_host *host;
};

bool isPlain(const spar_tensor *t, int32_t rank) {
  return t->dtype == SPAR_F32 && t->rank == rank && t->data != nullptr;
}

// C = alpha op(A) op(B) + beta C + bias.
spar_status gemm(void *self, const spar_gemm_args *args) {
  const spar_host *host = static_cast<const Backend *>(self)->host;
  const spar_gemm_args g = adopt(args);
  if (!isPlain(g.a, 2) || !isPlain(g.b, 2) || !isPlain(g.c, 2) || (g.bias && !isPlain(g.bias, 1)))
    return SPAR_UNSUPPORTED;
  return guarded(host, [&] {
    const Product product = {
        .a = Matrix(*g.a, g.flags & SPAR_TRANS_A), .b = Matrix(*g.b, g.flags & SPAR_TRANS_B),
        .bias = g.bias ? static_cast<const float *>(g.bias->data) : nullptr,
        .c = static_cast<float *>(g.c->data), .cStride = g.c->stride[0],
        .alpha = static_cast<float>(g.alpha), .beta = static_cast<float>(g.beta)};
    const int64_t rows = g.c->shape[0], columns = g.c->shape[1];
    if (product.a.rows != rows || product.b.columns != columns ||
        product.a.columns != product.b.rows || (g.bias && g.bias->shape[0] != columns))
      throw std::invalid_argument("@NAME@: gemm: the shapes do not fit");
    host->parallel_for(
        host, rows, kRows,
        [](void *arg, int64_t begin, int64_t end, int32_t) {
          static_cast<const Product *>(arg)->rows(begin, end);
        },
        const_cast<Product *>(&product));
  });
}

// 100 is a portable baseline: below the backends that come with Spar, above what cannot run.
spar_status probe(const spar_host *, int32_t *score) {
  *score = 100;
  return SPAR_OK;
}

spar_status create(const spar_host *host, const spar_create_info *, void **self) {
  return guarded(host, [&] { *self = new Backend{host}; });  // there are no options to read
}

void destroy(void *self) { delete static_cast<Backend *>(self); }

// Operations that are not named here are absent.
const spar_backend_api api = [] {
  spar_backend_api table = {};
  table.struct_size = sizeof table;
  table.flags = SPAR_BE_DETERMINISTIC;
  table.gemm = gemm;
  return table;
}();
const spar_component component = {
    .struct_size = sizeof component, .kind = SPAR_KIND_BACKEND, .flags = 0, .id = "@NAME@",
    .name = "@NAME@", .doc = "float32 products in plain tiled loops", .params = nullptr,
    .n_params = 0, .probe = probe, .create = create, .destroy = destroy, .api = &api,
    .extension = nullptr};
const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION,
    .revision = SPAR_ABI_REVISION, .id = "plugin.@NAME@", .name = "@NAME@", .version = "0.1.0",
    .vendor = "@AUTHOR@", .license = "@LICENSE@", .url = nullptr, .components = &component,
    .n_components = 1, .init = nullptr, .shutdown = nullptr};

}  // namespace

extern "C" const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
