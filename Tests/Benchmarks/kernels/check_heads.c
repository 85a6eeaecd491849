/* The fused head against double loops; skipped rows, soft cap, temperature, blocks and slices. */
#include "harness.h"

static void check_head(void *self, int64_t T, int64_t C, int64_t V, double inv, double cap,
                       int skip) {
  guarded h = random_tensor(SHAPE(T, C), 3, 1), W = random_tensor(SHAPE(V, C), 1, 1);
  guarded logp = tensor(SHAPE(T), 0), lse = tensor(SHAPE(T), 0), entropy = tensor(SHAPE(T), 0);
  guarded p2 = tensor(SHAPE(T), 0), coef = random_tensor(SHAPE(T), 0, 1);
  guarded dh = tensor(SHAPE(T, C), 2), dW = random_tensor(SHAPE(V, C), 2, 1), dW0 = copy_of(dW);
  int32_t *target = calloc((size_t)T + 1, 4);
  for (int64_t t = 0; t < T; t++) target[t] = skip && t % skip == 0 ? -1 : (int32_t)(t * 37 % V);
  spar_linear_logp_args a = {
    .struct_size = sizeof a, .h = &h.t, .weight = &W.t, .targets = target, .logp = &logp.t,
    .lse = &lse.t, .entropy = &entropy.t, .sum_p2 = &p2.t, .coef = &coef.t, .dh = &dh.t,
    .dweight = &dW.t, .inv_temperature = inv, .softcap = cap};
  check_status("linear_logp", api->linear_logp(self, &a));
  check_status("linear_logp_bwd", api->linear_logp_bwd(self, &a));
  double *wW = calloc((size_t)(V * C), 8), *z = calloc((size_t)V, 8), *slope = calloc((size_t)V, 8);
  double *wh = calloc((size_t)C, 8);
  for (int64_t t = 0; t < T; t++) {
    double sum = 0, max = -1e30, ent = 0, sq = 0;
    for (int64_t c = 0; c < C; c++) wh[c] = 0;
    if (target[t] >= 0) {
      for (int64_t v = 0; v < V; v++) {
        z[v] = 0;
        for (int64_t c = 0; c < C; c++)
          z[v] += (double)*element(h, t, c, 0) * (double)*element(W, v, c, 0);
        z[v] *= inv;
        slope[v] = 1;
        if (cap > 0) {
          const double u = tanh(z[v] / cap);
          slope[v] = 1 - u * u;
          z[v] = cap * u;
        }
        max = z[v] > max ? z[v] : max;
      }
      for (int64_t v = 0; v < V; v++) sum += exp(z[v] - max);
      const double L = max + log(sum);
      for (int64_t v = 0; v < V; v++) {
        const double p = exp(z[v] - L);
        ent -= p * (z[v] - L);
        sq += p * p;
        const double d = *element(coef, t, 0, 0) * ((v == target[t]) - p) * slope[v] * inv;
        for (int64_t c = 0; c < C; c++) {
          wh[c] += d * *element(W, v, c, 0);
          wW[v * C + c] += d * *element(h, t, c, 0);
        }
      }
      check_value("head logp", *element(logp, t, 0, 0), z[target[t]] - L, 3e-6);
      check_value("head lse", *element(lse, t, 0, 0), L, 3e-6);
    } else {
      check_value("head logp skipped", *element(logp, t, 0, 0), 0, 0);
    }
    check_value("head entropy", *element(entropy, t, 0, 0), ent, 5e-6);
    check_value("head sum p^2", *element(p2, t, 0, 0), sq, 5e-6);
    for (int64_t c = 0; c < C; c++)
      check_value("head dh", *element(dh, t, c, 0), wh[c], 5e-6);
  }
  for (int64_t v = 0; v < V; v++)
    for (int64_t c = 0; c < C; c++)
      check_value("head dW", *element(dW, v, c, 0), wW[v * C + c] + *element(dW0, v, c, 0), 1e-5);
  check_guard("head dh", dh), check_guard("head dW", dW), check_guard("head logp", logp);
  guarded dh1 = copy_of(dh);
  a.flags = SPAR_ACCUMULATE;
  a.dweight = NULL;
  check_status("linear_logp_bwd", api->linear_logp_bwd(self, &a));
  for (int64_t t = 0; t < T; t++)
    for (int64_t c = 0; c < C; c++)
      check_value("head dh accumulated", *element(dh, t, c, 0), 2.0 * *element(dh1, t, c, 0), 1e-6);
  free(target), free(wW), free(z), free(slope), free(wh);
  release(h), release(W), release(logp), release(lse), release(entropy), release(p2);
  release(coef), release(dh), release(dW), release(dW0), release(dh1);
}

void check_heads(void *self) {
  check_head(self, 1, 8, 5, 1, 0, 0);
  check_head(self, 60, 33, 700, 1, 0, 3);
  check_head(self, 101, 64, 2100, 0.7, 0, 0);
  check_head(self, 20, 50, 1200, 1.3, 2, 2);
  check_head(self, 4, 10, 30, 1, 0, 1);
}
