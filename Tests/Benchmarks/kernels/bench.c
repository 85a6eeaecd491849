/*
 * Speed on the shapes of SmolLM2-135M: 30 layers, C = 576, 9 query and 3 key heads of 64, FFN 1536,
 * V = 49152, tied head.  Beside it, OpenBLAS' own two-threaded sgemm in the same run.
 */
#include "harness.h"

#include <cblas.h>

enum { C = 576, H = 9, HKV = 3, D = 64, F = 1536, V = 49152, LAYERS = 30, REPEATS = 3 };

static void *self;
static int threads;
static double spent[8];
enum { PRODUCTS, ATTENTION, NORMS, OTHER, HEAD, OPTIMIZER };

static void gemm(guarded a, guarded b, guarded c, uint64_t flags, double beta) {
  const spar_gemm_args g = {.struct_size = sizeof g, .flags = flags, .a = &a.t, .b = &b.t,
                            .c = &c.t, .alpha = 1, .beta = beta};
  const double t = seconds();
  check_status("gemm", api->gemm(self, &g));
  spent[PRODUCTS] += seconds() - t;
}

typedef struct layer {
  guarded wq, wk, wv, wo, w1, w2, w3, norm;
} layer;

/* Every layer has weights of its own, so that they come from memory as in life. */
static layer make_layer(void) {
  return (layer){random_tensor(SHAPE(C, C), 0, 0.1),   random_tensor(SHAPE(HKV * D, C), 0, 0.1),
                 random_tensor(SHAPE(HKV * D, C), 0, 0.1), random_tensor(SHAPE(C, C), 0, 0.1),
                 random_tensor(SHAPE(F, C), 0, 0.1),   random_tensor(SHAPE(F, C), 0, 0.1),
                 random_tensor(SHAPE(C, F), 0, 0.1),   random_tensor(SHAPE(C), 0, 1)};
}

static guarded heads(guarded g, int64_t n) { /* [T, n D] as [T, n, D] */
  g.t.rank = 3;
  g.t.shape[1] = n, g.t.shape[2] = D;
  g.t.stride[1] = D, g.t.stride[2] = 1;
  return g;
}

typedef struct rows { /* activations of T rows */
  int64_t T;
  guarded x, n, q, k, v, o, a, b, c, rstd, lse, dx, dq, dk, dv, d_o, da, db, dc, cos, sin;
  int32_t *positions;
} rows;

static rows make_rows(int64_t T) {
  rows r = {.T = T, .x = random_tensor(SHAPE(T, C), 0, 1)};
  guarded *wide[] = {&r.n, &r.q, &r.o, &r.dx, &r.dq, &r.d_o};
  guarded *narrow[] = {&r.k, &r.v, &r.dk, &r.dv};
  guarded *ffn[] = {&r.a, &r.b, &r.c, &r.da, &r.db, &r.dc};
  for (int i = 0; i < 6; i++) *wide[i] = zeros(SHAPE(T, C), 0);
  for (int i = 0; i < 4; i++) *narrow[i] = zeros(SHAPE(T, HKV * D), 0);
  for (int i = 0; i < 6; i++) *ffn[i] = zeros(SHAPE(T, F), 0);
  r.rstd = zeros(SHAPE(T), 0), r.lse = zeros(SHAPE(T, H), 0);
  r.cos = random_tensor(SHAPE(2048, D / 2), 0, 1), r.sin = random_tensor(SHAPE(2048, D / 2), 0, 1);
  r.positions = calloc((size_t)T, 4);
  return r;
}

static void norm(rows *r, layer *l, int backward) {
  const double t = seconds();
  const spar_norm_args a = {.struct_size = sizeof a, .flags = SPAR_ACCUMULATE, .x = &r->x.t,
                            .weight = &l->norm.t, .dy = &r->n.t, .y = &r->n.t, .rstd = &r->rstd.t,
                            .dx = &r->dx.t, .dweight = &l->norm.t, .eps = 1e-5,
                            .kind = SPAR_NORM_RMS};
  check_status("norm", backward ? api->norm_bwd(self, &a) : api->norm(self, &a));
  spent[NORMS] += seconds() - t;
}

static void rope(rows *r, guarded g, int64_t n, uint64_t flags) {
  const double t = seconds();
  guarded x = heads(g, n);
  const spar_rope_args a = {.struct_size = sizeof a, .flags = flags, .x = &x.t, .cos = &r->cos.t,
                            .sin = &r->sin.t, .positions = r->positions};
  check_status("rope", api->rope(self, &a));
  spent[OTHER] += seconds() - t;
}

static void residual(rows *r, guarded y) {
  const double t = seconds();
  const spar_binary_args a = {.struct_size = sizeof a, .x = &r->x.t, .z = &y.t, .y = &r->dx.t,
                              .alpha = 1, .beta = 1, .kind = SPAR_ADD};
  check_status("binary", api->binary(self, &a));
  spent[OTHER] += seconds() - t;
}

static void gate(rows *r, int backward) {
  const double t = seconds();
  const spar_activation_args a = {.struct_size = sizeof a, .x = &r->a.t, .gate = &r->b.t,
                                  .dy = &r->dc.t, .y = &r->c.t, .dx = &r->da.t,
                                  .dgate = &r->db.t, .kind = SPAR_SILU};
  check_status("activation",
               backward ? api->activation_bwd(self, &a) : api->activation(self, &a));
  spent[OTHER] += seconds() - t;
}

static void attend(rows *r, const spar_attention_args *spans, int backward, guarded k, guarded v) {
  const double t = seconds();
  guarded q = heads(r->q, H), o = heads(r->o, H), dq = heads(r->dq, H), d_o = heads(r->d_o, H);
  guarded dk = heads(r->dk, HKV), dv = heads(r->dv, HKV);
  spar_attention_args a = *spans;
  a.q = &q.t, a.k = &k.t, a.v = &v.t, a.o = &o.t, a.lse = &r->lse.t, a.d_o = &d_o.t;
  a.dq = &dq.t, a.dk = &dk.t, a.dv = &dv.t;
  check_status("attention", backward ? api->attention_bwd(self, &a) : api->attention(self, &a));
  spent[ATTENTION] += seconds() - t;
}

static void forward_layer(rows *r, layer *l, const spar_attention_args *spans, guarded *cache) {
  norm(r, l, 0);
  gemm(r->n, l->wq, r->q, SPAR_TRANS_B, 0);
  gemm(r->n, l->wk, r->k, SPAR_TRANS_B, 0);
  gemm(r->n, l->wv, r->v, SPAR_TRANS_B, 0);
  rope(r, r->q, H, 0);
  rope(r, r->k, HKV, 0);
  attend(r, spans, 0, cache ? cache[0] : heads(r->k, HKV), cache ? cache[1] : heads(r->v, HKV));
  gemm(r->o, l->wo, r->n, SPAR_TRANS_B, 0);
  residual(r, r->n);
  norm(r, l, 0);
  gemm(r->n, l->w1, r->a, SPAR_TRANS_B, 0);
  gemm(r->n, l->w2, r->b, SPAR_TRANS_B, 0);
  gate(r, 0);
  gemm(r->c, l->w3, r->n, SPAR_TRANS_B, 0);
  residual(r, r->n);
}

static void backward_layer(rows *r, layer *l, layer *d, const spar_attention_args *spans) {
  gemm(r->n, r->c, d->w3, SPAR_TRANS_A, 1);
  gemm(r->n, l->w3, r->dc, 0, 0);
  gate(r, 1);
  gemm(r->da, r->n, d->w1, SPAR_TRANS_A, 1);
  gemm(r->db, r->n, d->w2, SPAR_TRANS_A, 1);
  gemm(r->da, l->w1, r->dx, 0, 0);
  gemm(r->db, l->w2, r->dx, 0, 1);
  norm(r, l, 1);
  gemm(r->dx, r->o, d->wo, SPAR_TRANS_A, 1);
  gemm(r->dx, l->wo, r->d_o, 0, 0);
  attend(r, spans, 1, heads(r->k, HKV), heads(r->v, HKV));
  rope(r, r->dq, H, SPAR_INVERSE);
  rope(r, r->dk, HKV, SPAR_INVERSE);
  gemm(r->dq, r->n, d->wq, SPAR_TRANS_A, 1);
  gemm(r->dk, r->n, d->wk, SPAR_TRANS_A, 1);
  gemm(r->dv, r->n, d->wv, SPAR_TRANS_A, 1);
  gemm(r->dq, l->wq, r->dx, 0, 0);
  gemm(r->dk, l->wk, r->dx, 0, 1);
  gemm(r->dv, l->wv, r->dx, 0, 1);
  norm(r, l, 1);
}

static double blas_rate(void) {
  static const int64_t shapes[][3] = {{700, F, C}, {700, C, F}, {700, C, C}};
  openblas_set_num_threads(threads);
  double work = 0, time = 0;
  for (int s = 0; s < 3; s++) {
    const int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
    guarded a = random_tensor(SHAPE(m, k), 0, 1), b = random_tensor(SHAPE(n, k), 0, 1);
    guarded c = zeros(SHAPE(m, n), 0);
    double best = 1e9;
    for (int i = 0; i < 12; i++) {
      const double t = seconds();
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1, a.t.data,
                  (int)k, b.t.data, (int)k, 0, c.t.data, (int)n);
      best = fmin(best, seconds() - t);
    }
    work += 2.0 * (double)(m * n * k), time += best;
    release(a), release(b), release(c);
  }
  openblas_set_num_threads(1);
  return work / time * 1e-9;
}

static void product_rates(void) {
  static const int64_t sizes[] = {1, 8, 40, 64, 128, 350, 700, 1400};
  static const int64_t nk[][2] = {{C, C}, {192, C}, {F, C}, {C, F}, {V, C}};
  printf("GFLOP/s      n     k  |    m  NT (x W^T)  NN (dy W)  TN (dy^T x)\n");
  for (int s = 0; s < 5; s++)
    for (int i = 0; i < 8; i++) {
      const int64_t m = sizes[i], n = nk[s][0], k = nk[s][1];
      if (n == V && m > 64) continue;
      guarded x = random_tensor(SHAPE(m, k), 0, 1), W = random_tensor(SHAPE(n, k), 0, 1);
      guarded y = random_tensor(SHAPE(m, n), 0, 1), dx = zeros(SHAPE(m, k), 0);
      double best[3] = {1e9, 1e9, 1e9};
      for (int r = 0; r < (m < 100 ? 30 : 10); r++) {
        double t = seconds();
        gemm(x, W, y, SPAR_TRANS_B, 0);
        best[0] = fmin(best[0], seconds() - t);
        t = seconds();
        gemm(y, W, dx, 0, 0);
        best[1] = fmin(best[1], seconds() - t);
        t = seconds();
        gemm(y, x, W, SPAR_TRANS_A, 1);
        best[2] = fmin(best[2], seconds() - t);
      }
      const double work = 2.0 * (double)(m * n * k) * 1e-9;
      printf("         %5lld  %4lld  | %4lld     %6.1f     %6.1f     %6.1f\n", (long long)n,
             (long long)k, (long long)m, work / best[0], work / best[1], work / best[2]);
      release(x), release(W), release(y), release(dx);
    }
}

static void report(const char *what, double total) {
  printf("%s %.1f ms: products %.1f, attention %.1f, norms %.1f, other %.1f, head %.1f, "
         "optimizer %.1f\n", what, total * 1e3, spent[PRODUCTS] * 1e3, spent[ATTENTION] * 1e3,
         spent[NORMS] * 1e3, spent[OTHER] * 1e3, spent[HEAD] * 1e3, spent[OPTIMIZER] * 1e3);
}

/* Two groups of 350 rows: a prompt of 110 and two answers of 120 that share it. */
static void training(double rate, layer *layers, guarded table, guarded dtable) {
  enum { T = 700, PROMPT = 110, ANSWER = 120, SPANS = 6 };
  int64_t begin[SPANS], len[SPANS], pb[SPANS], pl[SPANS];
  int32_t targets[T];
  for (int s = 0; s < SPANS; s++) {
    const int g = s / 3 * 350, a = s % 3;
    begin[s] = a ? g + PROMPT + (a - 1) * ANSWER : g;
    len[s] = a ? ANSWER : PROMPT;
    pb[s] = g, pl[s] = a ? PROMPT : 0;
    for (int64_t i = 0; i < len[s]; i++)
      targets[begin[s] + i] = a ? (int32_t)((begin[s] + i) * 31 % V) : -1;
  }
  const spar_attention_args spans = {
    .struct_size = sizeof spans, .flags = SPAR_CAUSAL, .q_begin = begin, .q_len = len,
    .k_begin = begin, .k_len = len, .prefix_begin = pb, .prefix_len = pl, .n_seq = SPANS,
    .scale = 0.125};
  rows r = make_rows(T);
  layer *d = malloc(sizeof(layer) * LAYERS);
  for (int i = 0; i < LAYERS; i++) d[i] = make_layer();
  guarded logp = zeros(SHAPE(T), 0), lse = zeros(SHAPE(T), 0), coef = random_tensor(SHAPE(T), 0, 1);
  const spar_linear_logp_args head = {.struct_size = sizeof head, .h = &r.x.t,
                                      .weight = &table.t, .targets = targets, .logp = &logp.t,
                                      .lse = &lse.t, .coef = &coef.t, .dh = &r.dx.t,
                                      .dweight = &dtable.t, .inv_temperature = 1};
  guarded states[2] = {zeros(SHAPE(V, C), 0), zeros(SHAPE(V, C), 0)};
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    memset(spent, 0, sizeof spent);
    const double start = seconds();
    for (int i = 0; i < LAYERS; i++) forward_layer(&r, &layers[i], &spans, NULL);
    double t = seconds();
    check_status("head", api->linear_logp(self, &head));
    spent[HEAD] += seconds() - t;
    const double forward = seconds() - start;
    t = seconds();
    check_status("head", api->linear_logp_bwd(self, &head));
    spent[HEAD] += seconds() - t;
    for (int i = LAYERS; i-- > 0;) backward_layer(&r, &layers[i], &d[i], &spans);
    t = seconds();
    for (int i = 0; i < 5; i++) { /* about 134.5 M parameters */
      const spar_optimizer_args o = {.struct_size = sizeof o, .p = &table.t, .v = &states[0].t,
                                     .g = &dtable.t, .lr = 1e-9, .beta2 = 0.99, .eps = 1e-8,
                                     .grad_scale = 1, .step = 1, .kind = SPAR_OPT_RMSPROP};
      check_status("optimizer", api->optimizer(self, &o));
    }
    spent[OPTIMIZER] += seconds() - t;
    const double total = seconds() - start;
    report("training step, 700 tokens, 480 in the head:", total);
    printf("  forward %.1f ms; %.0f tokens/s; %.1f GFLOP/s of 6 N T = %.1f %% of sgemm's %.1f\n",
           forward * 1e3, T / total, 6 * 134.5e-3 * T / total, 600 * 134.5e-3 * T / total / rate,
           rate);
  }
  release(states[0]), release(states[1]);
}

/* 40 sequences, each one new token after a shared prompt of 64 and 100 own keys. */
static void decoding(layer *layers, guarded table) {
  enum { N = 40, PROMPT = 64, OWN = 101 };
  int64_t begin[N], one[N], kb[N], kl[N], pb[N], pl[N];
  for (int s = 0; s < N; s++) {
    begin[s] = s, one[s] = 1, kb[s] = PROMPT * 8 + s * 160, kl[s] = OWN;
    pb[s] = s / 5 * PROMPT, pl[s] = PROMPT;
  }
  const spar_attention_args spans = {
    .struct_size = sizeof spans, .flags = SPAR_CAUSAL, .q_begin = begin, .q_len = one,
    .k_begin = kb, .k_len = kl, .prefix_begin = pb, .prefix_len = pl, .n_seq = N, .scale = 0.125};
  rows r = make_rows(N);
  guarded(*cache)[2] = malloc(sizeof(guarded[2]) * LAYERS);
  for (int i = 0; i < LAYERS; i++)
    for (int j = 0; j < 2; j++)
      cache[i][j] = random_tensor(SHAPE(PROMPT * 8 + N * 160, HKV, D), 0, 1);
  guarded logits = zeros(SHAPE(N, V), 0);
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    memset(spent, 0, sizeof spent);
    const double start = seconds();
    for (int i = 0; i < LAYERS; i++) forward_layer(&r, &layers[i], &spans, cache[i]);
    double t = seconds();
    const double products = spent[PRODUCTS];
    gemm(r.x, table, logits, SPAR_TRANS_B, 0);
    spent[PRODUCTS] = products;
    spent[HEAD] += seconds() - t;
    const double total = seconds() - start;
    report("decoding step, 40 sequences:", total);
    printf("  %.0f tokens/s\n", N / total);
  }
  for (int i = 0; i < LAYERS; i++) release(cache[i][0]), release(cache[i][1]);
  free(cache);
}

void bench(void *backend, int count) {
  self = backend;
  threads = count;
  const double rate = blas_rate();
  printf("OpenBLAS sgemm, %d threads, m = 700: %.1f GFLOP/s\n", threads, rate);
  if (!getenv("SKIP_RATES")) product_rates();
  layer *layers = malloc(sizeof(layer) * LAYERS);
  for (int i = 0; i < LAYERS; i++) layers[i] = make_layer();
  guarded table = random_tensor(SHAPE(V, C), 0, 0.1), dtable = zeros(SHAPE(V, C), 0);
  decoding(layers, table);
  training(rate, layers, table, dtable);
  printf("OpenBLAS sgemm again: %.1f GFLOP/s\n", blas_rate());
}
