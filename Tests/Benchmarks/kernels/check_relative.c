/* Attention with relative positions against double loops, and that spans do not know each other. */
#include "harness.h"

enum { SPANS = 4, REACH = 90 };

typedef struct setting {
  int64_t H, D, R;
  int64_t begin[SPANS], len[SPANS];
  int with_keys, with_queries;
  int32_t bucket[2 * REACH + 1];
} setting;

static int64_t row_of(const setting *c, int64_t i, int64_t j) {
  const int64_t d = i - j;
  return c->bucket[REACH + (d < -REACH ? -REACH : d > REACH ? REACH : d)];
}

static double product(guarded a, int64_t i, guarded b, int64_t j, int64_t h, int64_t D) {
  double sum = 0;
  for (int64_t d = 0; d < D; d++)
    sum += (double)*element(a, i, h, d) * (double)*element(b, j, h, d);
  return sum;
}

static void check_gradient(const char *what, guarded g, const double *want) {
  const int64_t T = g.t.shape[0], H = g.t.shape[1], D = g.t.shape[2];
  check_guard(what, g);
  for (int64_t i = 0; i < T * H * D; i++)
    check_value(what, *element(g, i / (H * D), i / D % H, i % D), want[i], 2e-5);
}

static void add(double *sum, const setting *c, int64_t row, int64_t h, double factor, guarded x,
                int64_t from) {
  for (int64_t d = 0; d < c->D; d++)
    sum[(row * c->H + h) * c->D + d] += factor * *element(x, from, h, d);
}

static void check_setting(void *self, const setting *c, int accumulate) {
  const int64_t T = 260, H = c->H, D = c->D, R = c->R;
  const double scale = 0.6 / sqrt((double)D);
  guarded in[6] = {random_tensor(SHAPE(T, H, D), 2, 2), random_tensor(SHAPE(T, H, D), 3, 2),
                   random_tensor(SHAPE(T, H, D), 1, 1), random_tensor(SHAPE(R, H, D), 5, 2),
                   random_tensor(SHAPE(R, H, D), 0, 2), random_tensor(SHAPE(T, H, D), 1, 1)};
  guarded q = in[0], k = in[1], v = in[2], pk = in[3], pq = in[4], d_o = in[5];
  guarded o = tensor(SHAPE(T, H, D), 4), lse = tensor(SHAPE(T, H), 1), grad[5];
  double *want[5];
  for (int i = 0; i < 5; i++) {
    const int64_t rows = i < 3 ? T : R;
    grad[i] = accumulate ? random_tensor(SHAPE(rows, H, D), i, 1) : tensor(SHAPE(rows, H, D), i);
    want[i] = calloc((size_t)(rows * H * D), 8);
    for (int64_t e = 0; accumulate && e < rows * H * D; e++)
      want[i][e] = *element(grad[i], e / (H * D), e / D % H, e % D);
  }
  const spar_rel_attention_args a = {
    .struct_size = sizeof a, .flags = accumulate ? SPAR_ACCUMULATE : 0u, .q = &q.t, .k = &k.t,
    .v = &v.t, .pk = c->with_keys ? &pk.t : NULL, .pq = c->with_queries ? &pq.t : NULL, .o = &o.t,
    .lse = &lse.t, .d_o = &d_o.t, .dq = &grad[0].t, .dk = &grad[1].t, .dv = &grad[2].t,
    .dpk = c->with_keys ? &grad[3].t : NULL, .dpq = c->with_queries ? &grad[4].t : NULL,
    .begin = c->begin, .len = c->len, .bucket = c->bucket, .n_seq = SPANS, .reach = REACH,
    .scale = scale};
  check_status("rel_attention", api->rel_attention(self, &a));
  check_guard("rel_attention lse", lse);
  check_guard("rel_attention o", o);
  double p[256];
  for (int s = 0; s < SPANS; s++)
    for (int64_t i = c->begin[s]; i < c->begin[s] + c->len[s]; i++)
      for (int64_t h = 0; h < H; h++) {
        const int64_t first = c->begin[s], n = c->len[s];
        double sum = 0, delta = 0;
        for (int64_t t = 0; t < n; t++) {
          const int64_t j = first + t, row = row_of(c, i, j);
          double z = product(q, i, k, j, h, D);
          if (c->with_keys) z += product(q, i, pk, row, h, D);
          if (c->with_queries) z += product(k, j, pq, row, h, D);
          sum += p[t] = exp(scale * z);
        }
        check_value("lse", *element(lse, i, h, 0), log(sum), 5e-6);
        for (int64_t d = 0; d < D; d++) {
          double value = 0;
          for (int64_t t = 0; t < n; t++) value += p[t] / sum * *element(v, first + t, h, d);
          check_value("rel_attention", *element(o, i, h, d), value, 5e-6);
          delta += value * *element(d_o, i, h, d);
        }
        for (int64_t t = 0; t < n; t++) {
          const int64_t j = first + t, row = row_of(c, i, j);
          const double w = p[t] / sum, ds = w * (product(d_o, i, v, j, h, D) - delta) * scale;
          add(want[2], c, j, h, w, d_o, i);
          add(want[0], c, i, h, ds, k, j);
          add(want[1], c, j, h, ds, q, i);
          if (c->with_keys) {
            add(want[0], c, i, h, ds, pk, row);
            add(want[3], c, row, h, ds, q, i);
          }
          if (c->with_queries) {
            add(want[1], c, j, h, ds, pq, row);
            add(want[4], c, row, h, ds, k, j);
          }
        }
      }
  check_status("rel_attention_bwd", api->rel_attention_bwd(self, &a));
  static const char *const names[] = {"dq", "dk", "dv", "dpk", "dpq"};
  for (int i = 0; i < 5; i++) {
    if (i < 3 || (i == 3 ? c->with_keys : c->with_queries)) check_gradient(names[i], grad[i], want[i]);
    release(grad[i]);
    free(want[i]);
  }
  for (int i = 0; i < 6; i++) release(in[i]);
  release(o), release(lse);
}

/* A span alone has the bits that it has beside others. */
static void check_alone(void *self, const setting *c) {
  const int64_t T = 260, H = c->H, D = c->D;
  guarded q = random_tensor(SHAPE(T, H, D), 0, 2), k = random_tensor(SHAPE(T, H, D), 0, 2);
  guarded v = random_tensor(SHAPE(T, H, D), 0, 1), pk = random_tensor(SHAPE(c->R, H, D), 0, 1);
  guarded pq = random_tensor(SHAPE(c->R, H, D), 0, 1), o = zeros(SHAPE(T, H, D), 0);
  guarded o1 = zeros(SHAPE(T, H, D), 0), lse = tensor(SHAPE(T, H), 0);
  spar_rel_attention_args a = {
    .struct_size = sizeof a, .q = &q.t, .k = &k.t, .v = &v.t, .pk = &pk.t, .pq = &pq.t, .o = &o.t,
    .lse = &lse.t, .begin = c->begin, .len = c->len, .bucket = c->bucket, .n_seq = SPANS,
    .reach = REACH, .scale = 0.1};
  check_status("rel_attention", api->rel_attention(self, &a));
  a.n_seq = 1;
  a.o = &o1.t;
  for (int s = SPANS - 1; s >= 0; s--) {
    a.begin = c->begin + s, a.len = c->len + s;
    check_status("rel_attention", api->rel_attention(self, &a));
  }
  check_same("a span alone = among others, bit for bit", o, o1);
  release(q), release(k), release(v), release(pk), release(pq), release(o), release(o1);
  release(lse);
}

void check_relative(void *self) {
  setting c = {.H = 3, .D = 64, .R = 101, .begin = {0, 130, 131, 200}, .len = {130, 1, 69, 60},
               .with_keys = 1, .with_queries = 1};
  for (int d = -REACH; d <= REACH; d++) { /* rows of their own up to 20, then runs */
    const int far = abs(d) <= 20 ? abs(d) : 20 + (abs(d) - 20) / 3;
    c.bucket[REACH + d] = 50 + (d < 0 ? -far : far);
  }
  check_setting(self, &c, 0);
  check_setting(self, &c, 1);
  check_alone(self, &c);
  c.with_keys = 0;
  check_setting(self, &c, 0);
  c.with_keys = 1, c.with_queries = 0;
  check_setting(self, &c, 1);
  c.with_queries = 1, c.H = 9, c.D = 20, c.R = 2 * REACH + 1;
  for (int d = -REACH; d <= REACH; d++) c.bucket[REACH + d] = REACH + d;
  check_setting(self, &c, 0);
  c.D = 80, c.R = 500; /* rows far apart */
  for (int d = -REACH; d <= REACH; d++) c.bucket[REACH + d] = 2 * (REACH + d) + (d > 40) * 70;
  check_setting(self, &c, 0);
}
