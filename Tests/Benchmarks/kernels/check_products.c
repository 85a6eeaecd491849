/* Products against double loops: all transpositions, odd shapes, strides, alpha, beta, bias. */
#include "harness.h"

static double naive(guarded A, guarded B, int ta, int tb, int64_t i, int64_t j, int64_t k) {
  double s = 0;
  for (int64_t t = 0; t < k; t++)
    s += (double)*(ta ? element(A, t, i, 0) : element(A, i, t, 0)) *
         (double)*(tb ? element(B, j, t, 0) : element(B, t, j, 0));
  return s;
}

static void check_product(void *self, int64_t m, int64_t n, int64_t k, int flags, int mode) {
  const int ta = !!(flags & SPAR_TRANS_A), tb = !!(flags & SPAR_TRANS_B);
  guarded A = ta ? random_tensor(SHAPE(k, m), 3, 1) : random_tensor(SHAPE(m, k), 3, 1);
  guarded B = tb ? random_tensor(SHAPE(n, k), 1, 1) : random_tensor(SHAPE(k, n), 1, 1);
  guarded bias = random_tensor(SHAPE(n), 0, 1);
  const double alpha = mode ? 0.5 : 1, beta = mode == 1 ? 1 : mode == 2 ? -0.25 : 0;
  guarded C = beta != 0 ? random_tensor(SHAPE(m, n), 5, 1) : tensor(SHAPE(m, n), 5);
  guarded before = copy_of(C);
  const spar_gemm_args a = {.struct_size = sizeof a, .flags = (uint64_t)flags, .a = &A.t,
                            .b = &B.t, .c = &C.t, .bias = mode == 2 ? &bias.t : NULL,
                            .alpha = alpha, .beta = beta};
  check_status("gemm", api->gemm(self, &a));
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double want = alpha * naive(A, B, ta, tb, i, j, k);
      if (beta != 0) want += beta * (double)*element(before, i, j, 0);
      if (mode == 2) want += (double)*element(bias, j, 0, 0);
      check_value("gemm", *element(C, i, j, 0), want, 2e-6 * sqrt((double)k + 1));
    }
  check_guard("gemm", C);
  release(A), release(B), release(C), release(before), release(bias);
}

/* Every row of y = x W^T alone has the bits it has among the others. */
static void check_row_invariance(void *self, int64_t m, int64_t n, int64_t k) {
  guarded x = random_tensor(SHAPE(m, k), 0, 1), W = random_tensor(SHAPE(n, k), 0, 1);
  guarded y = tensor(SHAPE(m, n), 0);
  spar_gemm_args a = {.struct_size = sizeof a, .flags = SPAR_TRANS_B, .a = &x.t, .b = &W.t,
                      .c = &y.t, .alpha = 1};
  check_status("gemm", api->gemm(self, &a));
  for (int64_t i = 0; i < m; i += 7) {
    guarded one = x, out = tensor(SHAPE(1, n), 0), row = y;
    one.t.shape[0] = row.t.shape[0] = 1;
    one.t.data = element(x, i, 0, 0);
    row.t.data = element(y, i, 0, 0);
    a.a = &one.t;
    a.c = &out.t;
    check_status("gemm", api->gemm(self, &a));
    check_same("a row alone = in a batch", out, row);
    release(out);
  }
  release(x), release(W), release(y);
}

void check_products(void *self, int row_invariant) {
  const int64_t shapes[][3] = {{1, 1, 1},    {1, 5, 3},    {7, 9, 11},   {16, 16, 16},
                               {48, 64, 64}, {49, 65, 33}, {40, 192, 96}, {97, 50, 130},
                               {5, 200, 2500}, {130, 8, 0}, {0, 4, 4},   {4, 0, 4},
                               {600, 100, 20}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
    for (int flags = 0; flags < 4; flags++)
      for (int mode = 0; mode < 3; mode++)
        check_product(self, shapes[s][0], shapes[s][1], shapes[s][2],
                      (flags & 1 ? SPAR_TRANS_A : 0) | (flags & 2 ? SPAR_TRANS_B : 0), mode);
  if (!row_invariant) return;
  check_row_invariance(self, 131, 77, 100);
  check_row_invariance(self, 40, 192, 576);
  check_row_invariance(self, 300, 600, 64);
}
