/*
 * One layer of DeBERTa-v3-large on four packed pairs of PairRM: where its time goes, with weights in
 * f32 and in Q8_0.  C = 1024, 16 heads of 64, FFN 4096, 459 tokens a pair, 256 buckets.
 */
#include "harness.h"

enum { C = 1024, H = 16, D = 64, F = 4096, N = 459, PAIRS = 4, T = N * PAIRS, R = 512, REACH = 511,
       REPEATS = 5 };
enum { SQUARE, UP, DOWN, ATTENTION, GELU, ADD, NORM, PARTS };

static const char *const names[PARTS] = {"4 products C x C", "product F x C", "product C x F",
                                         "attention", "gelu", "add", "norm"};
static double best[PARTS];

#define TIMED(PART, CALL)                                   \
  do {                                                      \
    const double t = seconds();                             \
    check_status(names[PART], CALL);                        \
    best[PART] = fmin(best[PART], seconds() - t);           \
  } while (0)

/* Distances to rows: each its own up to 128, then logarithmically up to the reach. */
static int32_t bucket(int64_t d) {
  const double far = fabs((double)d);
  const double row = far <= 128 ? far : ceil(log(far / 128) / log(511. / 128) * 127) + 128;
  const double all = 256 + (d < 0 ? -row : row);
  return (int32_t)fmin(R - 1, fmax(0, all));
}

/* Random blocks of Q8_0: a scale of 2^-8 as a half, and 32 numbers. */
static guarded stored_weights(int64_t n, int64_t k) {
  guarded g = {.t = {.dtype = SPAR_Q8_0, .rank = 2, .shape = {n, k}, .stride = {k, 1}}};
  const int64_t count = n * k / 32;
  uint8_t *p = malloc((size_t)count * 34 + 64);
  for (int64_t i = 0; i < count; i++) {
    p[34 * i] = 0, p[34 * i + 1] = 0x1c;
    for (int j = 0; j < 32; j++) p[34 * i + 2 + j] = (uint8_t)(int8_t)(uniform() * 127);
  }
  g.t.data = p;
  return g;
}

static void layer(void *self, int stored, const char *title) {
  guarded x = random_tensor(SHAPE(T, C), 0, 1), y = zeros(SHAPE(T, C), 0);
  guarded q = random_tensor(SHAPE(T, H, D), 0, 1), k = random_tensor(SHAPE(T, H, D), 0, 1);
  guarded v = random_tensor(SHAPE(T, H, D), 0, 1), o = zeros(SHAPE(T, H, D), 0);
  guarded pk = random_tensor(SHAPE(R, H, D), 0, 1), pq = random_tensor(SHAPE(R, H, D), 0, 1);
  guarded wide = zeros(SHAPE(T, F), 0), wide2 = zeros(SHAPE(T, F), 0);
  guarded w = random_tensor(SHAPE(C), 0, 1), b = random_tensor(SHAPE(F), 0, 1);
  guarded rstd = zeros(SHAPE(T), 0), mean = zeros(SHAPE(T), 0), lse = zeros(SHAPE(T, H), 0);
  guarded square = stored ? stored_weights(C, C) : random_tensor(SHAPE(C, C), 0, 0.1);
  guarded up = stored ? stored_weights(F, C) : random_tensor(SHAPE(F, C), 0, 0.1);
  guarded down = stored ? stored_weights(C, F) : random_tensor(SHAPE(C, F), 0, 0.1);
  int64_t begin[PAIRS], len[PAIRS];
  int32_t buckets[2 * REACH + 1];
  for (int i = 0; i < PAIRS; i++) begin[i] = i * N, len[i] = N;
  for (int d = -REACH; d <= REACH; d++) buckets[REACH + d] = bucket(d);
  const spar_gemm_args products[3] = {
    {.struct_size = sizeof products[0], .flags = SPAR_TRANS_B, .a = &x.t, .b = &square.t,
     .c = &y.t, .bias = &w.t, .alpha = 1},
    {.struct_size = sizeof products[0], .flags = SPAR_TRANS_B, .a = &x.t, .b = &up.t,
     .c = &wide.t, .bias = &b.t, .alpha = 1},
    {.struct_size = sizeof products[0], .flags = SPAR_TRANS_B, .a = &wide2.t, .b = &down.t,
     .c = &y.t, .bias = &w.t, .alpha = 1}};
  const spar_rel_attention_args attention = {
    .struct_size = sizeof attention, .q = &q.t, .k = &k.t, .v = &v.t, .pk = &pk.t, .pq = &pq.t,
    .o = &o.t, .lse = &lse.t, .begin = begin, .len = len, .bucket = buckets, .n_seq = PAIRS,
    .reach = REACH, .scale = 0.07};
  const spar_activation_args gelu = {.struct_size = sizeof gelu, .x = &wide.t, .y = &wide2.t,
                                     .kind = SPAR_GELU};
  const spar_binary_args add = {.struct_size = sizeof add, .x = &x.t, .z = &y.t, .y = &y.t,
                                .alpha = 1, .beta = 1, .kind = SPAR_ADD};
  const spar_norm_args norm = {.struct_size = sizeof norm, .x = &x.t, .weight = &w.t,
                               .bias = &w.t, .y = &y.t, .mean = &mean.t, .rstd = &rstd.t,
                               .eps = 1e-7, .kind = SPAR_NORM_LAYER};
  for (int i = 0; i < PARTS; i++) best[i] = 1e9;
  for (int i = 0; i < REPEATS; i++) {
    TIMED(SQUARE, api->gemm(self, &products[0]));
    TIMED(UP, api->gemm(self, &products[1]));
    TIMED(GELU, api->activation(self, &gelu));
    TIMED(DOWN, api->gemm(self, &products[2]));
    TIMED(ATTENTION, api->rel_attention(self, &attention));
    TIMED(ADD, api->binary(self, &add));
    TIMED(NORM, api->norm(self, &norm));
  }
  best[SQUARE] *= 4, best[ADD] *= 2, best[NORM] *= 2;
  const double work = 2e-9 * T * C;
  double total = 0;
  printf("%s, %d rows:\n", title, T);
  for (int i = 0; i < PARTS; i++) {
    const double flops = i == SQUARE ? 4 * C * work : i < ATTENTION ? F * work : 0;
    printf("  %-18s %7.2f ms", names[i], best[i] * 1e3);
    printf(flops > 0 ? "  %6.1f GFLOP/s\n" : "\n", flops / best[i]);
    total += best[i];
  }
  printf("  %-18s %7.2f ms: 24 layers %.3f s a pair\n", "layer", total * 1e3, 24 * total / PAIRS);
  guarded all[] = {x, y, q, k, v, o, pk, pq, wide, wide2, w, b, rstd, mean, lse};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) release(all[i]);
  guarded weights[] = {square, up, down};
  for (int i = 0; i < 3; i++) {
    if (stored) free(weights[i].t.data);
    else release(weights[i]);
  }
}

void bench_encoder(int64_t threads) {
  void *self = create_backend(threads, 0, 1);
  layer(self, 0, "f32");
  layer(self, 1, "Q8_0");
  destroy_backend(self);
  self = create_backend(threads, 0, 3);
  layer(self, 1, "Q8_0, products=int8");
  destroy_backend(self);
}
