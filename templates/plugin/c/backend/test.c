/* Products of odd sizes, with every transposition, against sums in double precision. */
#include <math.h>
#include "test_host.h"

static uint32_t state = 1;
static float next(void) {
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / 8388608.0f - 1;
}
static float *filled(int64_t n) {
  float *p = malloc(sizeof(float) * (size_t)n);
  if (!p) exit(1);
  for (int64_t i = 0; i < n; i++) p[i] = next();
  return p;
}
/* Rows lie `gap` floats further apart than they need. */
static spar_tensor matrix(float *data, int64_t rows, int64_t columns, int64_t gap) {
  return (spar_tensor){.data = data, .dtype = SPAR_F32, .rank = 2, .shape = {rows, columns},
                       .stride = {columns + gap, 1}};
}

static void compare(const spar_backend_api *api, void *self, int64_t m, int64_t n, int64_t k,
                    uint64_t flags, double beta) {
  enum { GAP = 3 };
  const int ta = (flags & SPAR_TRANS_A) != 0, tb = (flags & SPAR_TRANS_B) != 0;
  float *a = filled((ta ? k : m) * ((ta ? m : k) + GAP));
  float *b = filled((tb ? n : k) * ((tb ? k : n) + GAP));
  float *c = filled(m * (n + GAP)), *before = filled(m * (n + GAP)), *bias = filled(n);
  for (int64_t i = 0; i < m * (n + GAP); i++) before[i] = c[i] = beta == 0 ? NAN : c[i];
  const spar_tensor ta_ = ta ? matrix(a, k, m, GAP) : matrix(a, m, k, GAP);
  const spar_tensor tb_ = tb ? matrix(b, n, k, GAP) : matrix(b, k, n, GAP);
  const spar_tensor tbias = {.data = bias, .dtype = SPAR_F32, .rank = 1, .shape = {n},
                             .stride = {1}};
  spar_tensor tc = matrix(c, m, n, GAP);
  const spar_gemm_args args = {.struct_size = sizeof args, .flags = flags, .a = &ta_, .b = &tb_,
                               .bias = &tbias, .c = &tc, .alpha = 0.5, .beta = beta};
  CHECK(api->gemm(self, &args) == SPAR_OK, "gemm failed");
  double worst = 0;
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t p = 0; p < k; p++)
        sum += (double)(ta ? a[p * (m + GAP) + i] : a[i * (k + GAP) + p]) *
               (tb ? b[j * (k + GAP) + p] : b[p * (n + GAP) + j]);
      double expected = 0.5 * sum + bias[j];
      if (beta != 0) expected += beta * before[i * (n + GAP) + j];
      const double miss = fabs(c[i * (n + GAP) + j] - expected);
      if (!(miss <= worst)) worst = miss;
    }
    CHECK(memcmp(&c[i * (n + GAP) + n], &before[i * (n + GAP) + n], GAP * sizeof *c) == 0,
          "row %d: written beyond its end", (int)i);
  }
  CHECK(worst < 1e-4, "%dx%dx%d, flags %d, beta %g: off by %g", (int)m, (int)n, (int)k, (int)flags,
        beta, worst);
  free(a), free(b), free(c), free(before), free(bias);
}

int main(void) {
  const spar_host host = test_host();
  void *self = NULL;
  const spar_component *c = test_create(&host, NULL, 0, &self);
  const spar_backend_api *api = c->api;
  static const int64_t sizes[][3] = {{1, 1, 1}, {1, 70, 300}, {17, 65, 129}, {33, 64, 128}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (uint64_t trans = 0; trans < 4; trans++)
      for (int beta = 0; beta < 2; beta++)
        compare(api, self, sizes[s][0], sizes[s][1], sizes[s][2],
                (trans & 1 ? SPAR_TRANS_A : 0u) | (trans & 2 ? SPAR_TRANS_B : 0u), 0.75 * beta);
  c->destroy(self);
  return test_end();
}
