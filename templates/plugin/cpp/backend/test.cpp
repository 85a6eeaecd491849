// Products of odd sizes, with every transposition, against sums in double precision.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "test_host.h"

static std::mt19937 source(1);

// A matrix whose rows lie GAP floats further apart than they need.
struct Filled {
  static constexpr int64_t GAP = 3;
  int64_t rows, columns;
  std::vector<float> data;
  spar_tensor tensor{};

  Filled(int64_t rows, int64_t columns)
      : rows(rows), columns(columns), data(static_cast<size_t>(rows * (columns + GAP))) {
    std::uniform_real_distribution<float> any(-1, 1);
    for (float &x : data) x = any(source);
    tensor.data = data.data(), tensor.dtype = SPAR_F32, tensor.rank = 2;
    tensor.shape[0] = rows, tensor.shape[1] = columns;
    tensor.stride[0] = columns + GAP, tensor.stride[1] = 1;
  }
  float at(int64_t i, int64_t j) const { return data[i * (columns + GAP) + j]; }
};

static void compare(const spar_backend_api *api, void *self, int64_t m, int64_t n, int64_t k,
                    bool ta, bool tb, double beta) {
  const Filled a = ta ? Filled(k, m) : Filled(m, k), b = tb ? Filled(n, k) : Filled(k, n);
  Filled bias(1, n), c(m, n);
  bias.tensor.rank = 1, bias.tensor.shape[0] = n, bias.tensor.stride[0] = 1;
  if (beta == 0) c.data.assign(c.data.size(), std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> before = c.data;
  c.tensor.data = c.data.data();
  spar_gemm_args args{};
  args.struct_size = sizeof args;
  if (ta) args.flags |= SPAR_TRANS_A;
  if (tb) args.flags |= SPAR_TRANS_B;
  args.a = &a.tensor, args.b = &b.tensor, args.bias = &bias.tensor, args.c = &c.tensor;
  args.alpha = 0.5, args.beta = beta;
  CHECK(api->gemm(self, &args) == SPAR_OK, "gemm failed");
  double worst = 0;
  for (int64_t i = 0; i < m; i++) {
    const size_t row = static_cast<size_t>(i * (n + Filled::GAP));
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t p = 0; p < k; p++)
        sum += double(ta ? a.at(p, i) : a.at(i, p)) * (tb ? b.at(j, p) : b.at(p, j));
      double expected = 0.5 * sum + bias.at(0, j);
      if (beta != 0) expected += beta * before[row + j];
      const double miss = std::abs(c.at(i, j) - expected);
      if (!(miss <= worst)) worst = miss;
    }
    CHECK(memcmp(&c.data[row + n], &before[row + n], Filled::GAP * sizeof(float)) == 0,
          "row %d: written beyond its end", int(i));
  }
  CHECK(worst < 1e-4, "%dx%dx%d, %d%d, beta %g: off by %g", int(m), int(n), int(k), ta, tb, beta,
        worst);
}

int main() {
  const spar_host host = test_host();
  void *self = nullptr;
  const spar_component *c = test_create(&host, nullptr, 0, &self);
  const auto *api = static_cast<const spar_backend_api *>(c->api);
  const int64_t sizes[][3] = {{1, 1, 1}, {1, 70, 300}, {17, 65, 129}, {33, 64, 128}};
  for (const auto &[m, n, k] : sizes)
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const double beta : {0.0, 0.75}) compare(api, self, m, n, k, ta, tb, beta);
  c->destroy(self);
  return test_end();
}
