/* Every operation that has a share in a training step or a decoding step, on fixed numbers. */
#include "placement.h"

enum { T = 96, C = 192, F = 512, V = 1600, H = 6, HKV = 3, D = 32 };
enum { SPANS = 12, SLOTS = 24, PREFIX = 40 };

static char *out, *end;

static void keep(const spar_tensor *t) {
  const int64_t n = bytes_of(t);
  if (out + n > end) {
    printf("FAIL  the results need more room\n");
    exit(2);
  }
  memcpy(out, t->data, (size_t)n);
  out += n;
}

static void done(const char *what, spar_status status) {
  if (status != SPAR_OK) check(what, 0);
}

#define ACT SPAR_BUF_ACTIVATIONS
#define OPT SPAR_BUF_OPTIMIZER

static void products(instance *i) {
  spar_tensor w = random_tensor(i, SPAR_BUF_WEIGHTS, SHAPE(F, C), 0.1f);
  spar_tensor bias = random_tensor(i, SPAR_BUF_WEIGHTS, SHAPE(F), 1);
  for (int64_t m = 1; m <= T; m = m < 40 ? m + 13 : m + 56) {
    spar_tensor x = random_tensor(i, ACT, SHAPE(m, C), 1), y = zero_tensor(i, ACT, SHAPE(m, F));
    spar_tensor dx = zero_tensor(i, ACT, SHAPE(m, C)), dw = random_tensor(i, OPT, SHAPE(F, C), 1);
    spar_gemm_args a = {.struct_size = sizeof a, .flags = SPAR_TRANS_B, .a = &x, .b = &w,
                        .bias = &bias, .c = &y, .alpha = 1};
    done("y = x W^T + b", i->api->gemm(i->self, &a));
    keep(&y);
    spar_gemm_args b = {.struct_size = sizeof b, .a = &y, .b = &w, .c = &dx, .alpha = 1};
    done("dx = dy W", i->api->gemm(i->self, &b));
    keep(&dx);
    spar_gemm_args c = {.struct_size = sizeof c, .flags = SPAR_TRANS_A, .a = &y, .b = &x, .c = &dw,
                        .alpha = 0.5, .beta = 1};
    done("dW += dy^T x", i->api->gemm(i->self, &c));
    keep(&dw);
    /* A view of W's second half: its rows lie on one node. */
    spar_tensor part = w, z = zero_tensor(i, ACT, SHAPE(m, F / 2));
    part.data = (float *)w.data + F / 2 * C;
    part.offset = F / 2 * C * 4;
    part.shape[0] = F / 2;
    spar_gemm_args d = {.struct_size = sizeof d, .flags = SPAR_TRANS_B, .a = &x, .b = &part,
                        .c = &z, .alpha = 2};
    done("a view of W", i->api->gemm(i->self, &d));
    keep(&z);
  }
}

static void attention(instance *i) {
  /* Prompts first, then each answer's own slots: as a cache has them. */
  const int64_t slots = 2 * PREFIX + SPANS * SLOTS;
  spar_tensor k = random_tensor(i, SPAR_BUF_KV_CACHE, SHAPE(slots, HKV, D), 1);
  spar_tensor v = random_tensor(i, SPAR_BUF_KV_CACHE, SHAPE(slots, HKV, D), 1);
  for (int64_t len = 1; len <= 9; len += 8) {
    const int64_t rows = SPANS * len;
    spar_tensor q = random_tensor(i, ACT, SHAPE(rows, H, D), 1);
    spar_tensor o = zero_tensor(i, ACT, SHAPE(rows, H, D));
    spar_tensor lse = zero_tensor(i, ACT, SHAPE(rows, H));
    int64_t qb[SPANS], ql[SPANS], kb[SPANS], kl[SPANS], pb[SPANS], pl[SPANS];
    for (int64_t s = 0; s < SPANS; s++) {
      qb[s] = s * len;
      ql[s] = len;
      kb[s] = 2 * PREFIX + s * SLOTS;
      kl[s] = len + s;
      pb[s] = s % 2 * PREFIX;
      pl[s] = PREFIX - s % 2;
    }
    spar_attention_args a = {.struct_size = sizeof a, .flags = SPAR_CAUSAL, .q = &q, .k = &k,
                             .v = &v, .o = &o, .lse = &lse, .q_begin = qb, .q_len = ql,
                             .k_begin = kb, .k_len = kl, .prefix_begin = pb, .prefix_len = pl,
                             .n_seq = SPANS, .scale = 0.17};
    done("attention", i->api->attention(i->self, &a));
    keep(&o);
    keep(&lse);
    spar_tensor d_o = random_tensor(i, ACT, SHAPE(rows, H, D), 1);
    spar_tensor dq = zero_tensor(i, ACT, SHAPE(rows, H, D));
    spar_tensor dk = zero_tensor(i, ACT, SHAPE(slots, HKV, D));
    spar_tensor dv = zero_tensor(i, ACT, SHAPE(slots, HKV, D));
    a.d_o = &d_o, a.dq = &dq, a.dk = &dk, a.dv = &dv;
    done("attention_bwd", i->api->attention_bwd(i->self, &a));
    keep(&dq);
    keep(&dk);
    keep(&dv);
  }
}

static void rows(instance *i) {
  spar_tensor x = random_tensor(i, ACT, SHAPE(T, C), 1);
  spar_tensor w = random_tensor(i, SPAR_BUF_WEIGHTS, SHAPE(C), 1);
  spar_tensor y = zero_tensor(i, ACT, SHAPE(T, C)), rstd = zero_tensor(i, ACT, SHAPE(T));
  spar_norm_args n = {.struct_size = sizeof n, .x = &x, .weight = &w, .y = &y, .rstd = &rstd,
                      .eps = 1e-5, .kind = SPAR_NORM_RMS};
  done("norm", i->api->norm(i->self, &n));
  keep(&y);
  spar_tensor dy = random_tensor(i, ACT, SHAPE(T, C), 1), dx = zero_tensor(i, ACT, SHAPE(T, C));
  spar_tensor dw = zero_tensor(i, OPT, SHAPE(C));
  n.dy = &dy, n.dx = &dx, n.dweight = &dw;
  done("norm_bwd", i->api->norm_bwd(i->self, &n));
  keep(&dx);
  keep(&dw);
  spar_activation_args g = {.struct_size = sizeof g, .x = &x, .gate = &dy, .y = &y,
                            .kind = SPAR_SILU};
  done("activation", i->api->activation(i->self, &g));
  keep(&y);
  spar_tensor total = zero_tensor(i, ACT, SHAPE(1));
  spar_reduce_args r = {.struct_size = sizeof r, .x = &x, .y = &total, .kind = SPAR_SUMSQ_ALL};
  done("reduce", i->api->reduce(i->self, &r));
  keep(&total);
  spar_tensor p = random_tensor(i, SPAR_BUF_WEIGHTS, SHAPE(F, C), 1);
  spar_tensor m = zero_tensor(i, OPT, SHAPE(F, C)), v = zero_tensor(i, OPT, SHAPE(F, C));
  spar_tensor grad = random_tensor(i, OPT, SHAPE(F, C), 1);
  spar_optimizer_args o = {.struct_size = sizeof o, .p = &p, .m = &m, .v = &v, .g = &grad,
                           .lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                           .weight_decay = 0.1, .grad_scale = 0.5, .step = 3,
                           .kind = SPAR_OPT_ADAMW};
  done("optimizer", i->api->optimizer(i->self, &o));
  keep(&p);
  keep(&v);
}

static void head(instance *i) {
  spar_tensor h = random_tensor(i, ACT, SHAPE(T, C), 1);
  spar_tensor w = random_tensor(i, SPAR_BUF_WEIGHTS, SHAPE(V, C), 0.2f);
  spar_tensor logp = zero_tensor(i, ACT, SHAPE(T)), lse = zero_tensor(i, ACT, SHAPE(T));
  spar_tensor coef = random_tensor(i, ACT, SHAPE(T), 1), dh = zero_tensor(i, ACT, SHAPE(T, C));
  spar_tensor dw = zero_tensor(i, OPT, SHAPE(V, C));
  int32_t targets[T], ids[T];
  for (int t = 0; t < T; t++) targets[t] = t % 7 == 3 ? -1 : t * 131 % V, ids[t] = t * 37 % V;
  spar_linear_logp_args a = {.struct_size = sizeof a, .h = &h, .weight = &w, .targets = targets,
                             .logp = &logp, .lse = &lse, .inv_temperature = 1};
  done("linear_logp", i->api->linear_logp(i->self, &a));
  keep(&logp);
  a.coef = &coef, a.dh = &dh, a.dweight = &dw;
  done("linear_logp_bwd", i->api->linear_logp_bwd(i->self, &a));
  keep(&dh);
  keep(&dw);
  spar_embed_args e = {.struct_size = sizeof e, .table = &w, .y = &dh, .dy = &h, .dtable = &dw,
                       .ids = ids};
  done("embed", i->api->embed(i->self, &e));
  done("embed_bwd", i->api->embed_bwd(i->self, &e));
  keep(&dh);
  keep(&dw);
}

uint64_t run_operations(instance *i, char *into, uint64_t room) {
  out = into;
  end = into + room;
  start_over();
  products(i);
  attention(i);
  rows(i);
  head(i);
  return (uint64_t)(out - into);
}
