/* Attention against double loops: prefixes, groups, windows, soft caps, empty spans, strides. */
#include "harness.h"

enum { SPANS = 5 };

typedef struct setting {
  int64_t H, Hkv, D, window;
  int causal;
  double softcap;
  int64_t q_begin[SPANS], q_len[SPANS], k_begin[SPANS], k_len[SPANS];
  int64_t prefix_begin[SPANS], prefix_len[SPANS];
} setting;

/* Key row that key `i` of span s is, or -1 if query row r does not see it. */
static int64_t visible(const setting *c, int s, int64_t r, int64_t i) {
  const int64_t prefix = c->prefix_len[s], own = c->k_len[s];
  int64_t last = prefix + (c->causal ? own - c->q_len[s] + r + 1 : own);
  if (last < prefix) last = prefix;
  const int64_t first = c->window && last > c->window ? last - c->window : 0;
  if (i < first || i >= last) return -1;
  return i < prefix ? c->prefix_begin[s] + i : c->k_begin[s] + i - prefix;
}

static double score(const setting *c, guarded q, guarded k, int64_t row, int64_t h, int64_t key,
                    double scale, double *slope) {
  double z = 0;
  for (int64_t d = 0; d < c->D; d++)
    z += (double)*element(q, row, h, d) * (double)*element(k, key, h / (c->H / c->Hkv), d);
  z *= scale;
  *slope = 1;
  if (c->softcap > 0) {
    const double t = tanh(z / c->softcap);
    *slope = 1 - t * t;
    z = c->softcap * t;
  }
  return z;
}

static void check_setting(void *self, const setting *c, int accumulate) {
  const int64_t Tq = 130, Tk = 150, H = c->H, D = c->D, G = c->H / c->Hkv;
  const double scale = 0.7 / sqrt((double)D);
  guarded q = random_tensor(SHAPE(Tq, H, D), 2, 2), k = random_tensor(SHAPE(Tk, c->Hkv, D), 3, 2);
  guarded v = random_tensor(SHAPE(Tk, c->Hkv, D), 1, 1), o = tensor(SHAPE(Tq, H, D), 4);
  guarded lse = tensor(SHAPE(Tq, H), 1), d_o = random_tensor(SHAPE(Tq, H, D), 1, 1);
  guarded dq = accumulate ? random_tensor(SHAPE(Tq, H, D), 1, 1) : tensor(SHAPE(Tq, H, D), 1);
  guarded dk = accumulate ? random_tensor(SHAPE(Tk, c->Hkv, D), 1, 1)
                          : tensor(SHAPE(Tk, c->Hkv, D), 1);
  guarded dv = accumulate ? random_tensor(SHAPE(Tk, c->Hkv, D), 2, 1)
                          : tensor(SHAPE(Tk, c->Hkv, D), 2);
  double *wq = calloc((size_t)(Tq * H * D), 8), *wk = calloc((size_t)(Tk * c->Hkv * D), 8);
  double *wv = calloc((size_t)(Tk * c->Hkv * D), 8);
  if (accumulate) {
    for (int64_t i = 0; i < Tq * H * D; i++) wq[i] = *element(dq, i / (H * D), i / D % H, i % D);
    for (int64_t i = 0; i < Tk * c->Hkv * D; i++) {
      wk[i] = *element(dk, i / (c->Hkv * D), i / D % c->Hkv, i % D);
      wv[i] = *element(dv, i / (c->Hkv * D), i / D % c->Hkv, i % D);
    }
  }
  const spar_attention_args a = {
    .struct_size = sizeof a,
    .flags = (c->causal ? SPAR_CAUSAL : 0u) | (accumulate ? SPAR_ACCUMULATE : 0u), .q = &q.t,
    .k = &k.t, .v = &v.t, .o = &o.t, .lse = &lse.t, .d_o = &d_o.t, .dq = &dq.t, .dk = &dk.t,
    .dv = &dv.t, .q_begin = c->q_begin, .q_len = c->q_len, .k_begin = c->k_begin,
    .k_len = c->k_len, .prefix_begin = c->prefix_begin, .prefix_len = c->prefix_len,
    .n_seq = SPANS, .window = c->window, .scale = scale, .softcap = c->softcap};
  check_status("attention", api->attention(self, &a));
  check_guard("attention lse", lse);
  check_guard("attention o", o);
  double p[256], slope[256], dp[256];
  for (int s = 0; s < SPANS; s++)
    for (int64_t r = 0; r < c->q_len[s]; r++)
      for (int64_t h = 0; h < H; h++) {
        const int64_t row = c->q_begin[s] + r, n = c->prefix_len[s] + c->k_len[s];
        double sum = 0, delta = 0;
        for (int64_t i = 0; i < n; i++) {
          const int64_t key = visible(c, s, r, i);
          p[i] = key < 0 ? 0 : exp(score(c, q, k, row, h, key, scale, &slope[i]));
          sum += p[i];
        }
        check_value("lse", *element(lse, row, h, 0), log(sum), 3e-6);
        for (int64_t d = 0; d < D; d++) {
          double want = 0;
          for (int64_t i = 0; i < n; i++)
            if (p[i] > 0) want += p[i] / sum * *element(v, visible(c, s, r, i), h / G, d);
          check_value("attention", *element(o, row, h, d), sum > 0 ? want : 0, 3e-6);
          delta += want * *element(d_o, row, h, d);
        }
        for (int64_t i = 0; i < n; i++) {
          if (p[i] == 0) continue;
          const int64_t key = visible(c, s, r, i), at = (key * c->Hkv + h / G) * D;
          p[i] /= sum;
          dp[i] = 0;
          for (int64_t d = 0; d < D; d++) {
            dp[i] += (double)*element(d_o, row, h, d) * *element(v, key, h / G, d);
            wv[at + d] += p[i] * *element(d_o, row, h, d);
          }
          const double ds = p[i] * (dp[i] - delta) * slope[i] * scale;
          for (int64_t d = 0; d < D; d++) {
            wk[at + d] += ds * *element(q, row, h, d);
            wq[(row * H + h) * D + d] += ds * *element(k, key, h / G, d);
          }
        }
      }
  check_status("attention_bwd", api->attention_bwd(self, &a));
  for (int64_t i = 0; i < Tq * H * D; i++)
    check_value("dq", *element(dq, i / (H * D), i / D % H, i % D), wq[i], 1e-5);
  for (int64_t i = 0; i < Tk * c->Hkv * D; i++) {
    check_value("dk", *element(dk, i / (c->Hkv * D), i / D % c->Hkv, i % D), wk[i], 1e-5);
    check_value("dv", *element(dv, i / (c->Hkv * D), i / D % c->Hkv, i % D), wv[i], 1e-5);
  }
  check_guard("dq", dq), check_guard("dk", dk), check_guard("dv", dv);
  release(q), release(k), release(v), release(o), release(lse), release(d_o);
  release(dq), release(dk), release(dv);
  free(wq), free(wk), free(wv);
}

/* The last row of a causal span alone, with its keys cached, gives the bits of the whole span;
 * so do its keys given partly as a prefix. */
static void check_cache(void *self) {
  const int64_t T = 70, H = 6, Hkv = 2, D = 64;
  guarded q = random_tensor(SHAPE(T, H, D), 0, 2), k = random_tensor(SHAPE(T, Hkv, D), 0, 2);
  guarded v = random_tensor(SHAPE(T, Hkv, D), 0, 1), o = tensor(SHAPE(T, H, D), 0);
  guarded o1 = tensor(SHAPE(T, H, D), 0), o2 = tensor(SHAPE(T, H, D), 0);
  guarded lse = tensor(SHAPE(T, H), 0);
  const int64_t zero = 0, all = T, last = T - 1, one = 1, prefix = 13, own = T - 13;
  spar_attention_args a = {.struct_size = sizeof a, .flags = SPAR_CAUSAL, .q = &q.t, .k = &k.t,
                           .v = &v.t, .o = &o.t, .lse = &lse.t, .q_begin = &zero, .q_len = &all,
                           .k_begin = &zero, .k_len = &all, .n_seq = 1, .scale = 0.125};
  check_status("attention", api->attention(self, &a));
  a.q_begin = &last, a.q_len = &one, a.o = &o1.t;
  check_status("attention", api->attention(self, &a));
  a.prefix_begin = &zero, a.prefix_len = &prefix, a.k_begin = &prefix, a.k_len = &own, a.o = &o2.t;
  check_status("attention", api->attention(self, &a));
  const size_t row = (size_t)(H * D) * 4;
  check_true("cached decoding = full forward, bit for bit",
             !memcmp(element(o, last, 0, 0), element(o1, last, 0, 0), row));
  check_true("prefix = own keys, bit for bit",
             !memcmp(element(o1, last, 0, 0), element(o2, last, 0, 0), row));
  release(q), release(k), release(v), release(o), release(o1), release(o2), release(lse);
}

void check_attention(void *self) {
  const setting plain = {.H = 6, .Hkv = 2, .D = 64, .causal = 1,
    .q_begin = {0, 50, 60, 60, 129}, .q_len = {50, 10, 0, 69, 1},
    .k_begin = {0, 50, 0, 60, 0}, .k_len = {50, 10, 0, 69, 100},
    .prefix_begin = {0, 0, 0, 0, 100}, .prefix_len = {0, 50, 0, 17, 0}};
  setting c = plain;
  check_setting(self, &c, 0);
  check_setting(self, &c, 1);
  c.causal = 0;
  check_setting(self, &c, 0);
  c = plain, c.window = 9;
  check_setting(self, &c, 1);
  c = plain, c.softcap = 3;
  check_setting(self, &c, 0);
  c = plain, c.H = 3, c.Hkv = 3, c.D = 20;
  check_setting(self, &c, 0);
  c = plain, c.H = 8, c.Hkv = 1, c.D = 80;
  check_setting(self, &c, 0);
  check_cache(self);
}
