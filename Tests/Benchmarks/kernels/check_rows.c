/* Norms, rotary embedding, softmax, log-probabilities, elementwise work, copies, optimizer. */
#include "harness.h"

#define AT(G, I, J) ((double)*element(G, I, J, 0))

static void check_norm(void *self, int64_t T, int64_t C, int kind, int biased) {
  guarded x = random_tensor(SHAPE(T, C), 3, 2), w = random_tensor(SHAPE(C), 0, 1);
  guarded b = random_tensor(SHAPE(C), 0, 1), y = tensor(SHAPE(T, C), 1);
  guarded dy = random_tensor(SHAPE(T, C), 2, 1), mean = tensor(SHAPE(T), 0);
  guarded rstd = tensor(SHAPE(T), 0), dx = random_tensor(SHAPE(T, C), 1, 1), dx0 = copy_of(dx);
  guarded dw = random_tensor(SHAPE(C), 0, 1), dw0 = copy_of(dw);
  guarded db = zeros(SHAPE(C), 0);
  const int layer = kind == SPAR_NORM_LAYER;
  spar_norm_args a = {.struct_size = sizeof a, .flags = SPAR_ACCUMULATE, .x = &x.t,
                      .weight = &w.t, .bias = biased ? &b.t : NULL, .dy = &dy.t, .y = &y.t,
                      .mean = layer ? &mean.t : NULL, .rstd = &rstd.t, .dx = &dx.t,
                      .dweight = &dw.t, .dbias = biased ? &db.t : NULL, .eps = 1e-5,
                      .kind = (uint32_t)kind};
  check_status("norm", api->norm(self, &a));
  check_status("norm_bwd", api->norm_bwd(self, &a));
  double *ww = calloc((size_t)C, 8), *wb = calloc((size_t)C, 8);
  for (int64_t t = 0; t < T; t++) {
    double m = 0, s = 0, gh = 0, g1 = 0;
    for (int64_t c = 0; c < C && layer; c++) m += AT(x, t, c) / (double)C;
    for (int64_t c = 0; c < C; c++) s += (AT(x, t, c) - m) * (AT(x, t, c) - m) / (double)C;
    const double r = 1 / sqrt(s + 1e-5);
    for (int64_t c = 0; c < C; c++) {
      const double h = (AT(x, t, c) - m) * r, g = AT(dy, t, c) * AT(w, c, 0);
      check_value("norm", AT(y, t, c), h * AT(w, c, 0) + (biased ? AT(b, c, 0) : 0), 3e-6);
      gh += g * h / (double)C, g1 += layer ? g / (double)C : 0;
      ww[c] += AT(dy, t, c) * h, wb[c] += AT(dy, t, c);
    }
    for (int64_t c = 0; c < C; c++) {
      const double h = (AT(x, t, c) - m) * r, g = AT(dy, t, c) * AT(w, c, 0);
      check_value("norm dx", AT(dx, t, c), AT(dx0, t, c) + r * (g - h * gh - g1), 5e-6);
    }
  }
  for (int64_t c = 0; c < C; c++) {
    check_value("norm dw", AT(dw, c, 0), AT(dw0, c, 0) + ww[c], 1e-5);
    if (biased) check_value("norm db", AT(db, c, 0), wb[c], 1e-5);
  }
  check_guard("norm", y), check_guard("norm dx", dx), check_guard("norm dw", dw);
  free(ww), free(wb);
  release(x), release(w), release(b), release(y), release(dy), release(mean), release(rstd);
  release(dx), release(dx0), release(dw), release(dw0), release(db);
}

static void check_rope(void *self, int64_t D, int interleaved) {
  const int64_t T = 20, H = 3, P = 30;
  guarded x = random_tensor(SHAPE(T, H, D), 3, 1), x0 = copy_of(x);
  guarded c = random_tensor(SHAPE(P, D / 2), 1, 1), s = random_tensor(SHAPE(P, D / 2), 0, 1);
  int32_t positions[20];
  for (int i = 0; i < 20; i++) positions[i] = (i * 7) % 30;
  for (int64_t p = 0; p < P; p++)
    for (int64_t i = 0; i < D / 2; i++) {
      const double angle = 3 * AT(c, p, i);
      *element(c, p, i, 0) = (float)cos(angle), *element(s, p, i, 0) = (float)sin(angle);
    }
  spar_rope_args a = {.struct_size = sizeof a, .flags = interleaved ? SPAR_INTERLEAVED : 0u,
                      .x = &x.t, .cos = &c.t, .sin = &s.t, .positions = positions};
  check_status("rope", api->rope(self, &a));
  for (int64_t t = 0; t < T; t++)
    for (int64_t h = 0; h < H; h++)
      for (int64_t i = 0; i < D / 2; i++) {
        const int64_t i1 = interleaved ? 2 * i : i, i2 = interleaved ? 2 * i + 1 : i + D / 2;
        const double u = *element(x0, t, h, i1), v = *element(x0, t, h, i2);
        const double cs = AT(c, positions[t], i), sn = AT(s, positions[t], i);
        check_value("rope", *element(x, t, h, i1), u * cs - v * sn, 1e-6);
        check_value("rope", *element(x, t, h, i2), v * cs + u * sn, 1e-6);
      }
  a.flags |= SPAR_INVERSE;
  check_status("rope", api->rope(self, &a));
  for (int64_t t = 0; t < T; t++)
    for (int64_t i = 0; i < D; i++)
      check_value("rope inverse", *element(x, t, 1, i), *element(x0, t, 1, i), 1e-6);
  check_guard("rope", x);
  release(x), release(x0), release(c), release(s);
}

static void check_softmax(void *self, int64_t R, int64_t C) {
  guarded x = random_tensor(SHAPE(R, C), 3, 5), y = tensor(SHAPE(R, C), 1);
  guarded mask = random_tensor(SHAPE(C), 0, 1), dy = random_tensor(SHAPE(R, C), 0, 1);
  guarded dx = tensor(SHAPE(R, C), 2);
  guarded logp = tensor(SHAPE(R), 0), lse = tensor(SHAPE(R), 0), ent = tensor(SHAPE(R), 0);
  guarded coef = random_tensor(SHAPE(R), 0, 1), dl = tensor(SHAPE(R, C), 0);
  int32_t target[64];
  for (int64_t r = 0; r < R; r++) target[r] = r % 5 == 4 ? -1 : (int32_t)(r * 13 % C);
  *element(mask, C - 1, 0, 0) = -INFINITY;
  spar_softmax_args a = {.struct_size = sizeof a, .x = &x.t, .mask = &mask.t, .dy = &dy.t,
                         .y = &y.t, .dx = &dx.t, .scale = 0.8};
  check_status("softmax", api->softmax(self, &a));
  check_status("softmax_bwd", api->softmax_bwd(self, &a));
  const spar_logp_args l = {.struct_size = sizeof l, .logits = &x.t, .targets = target,
                            .logp = &logp.t, .lse = &lse.t, .entropy = &ent.t, .coef = &coef.t,
                            .dlogits = &dl.t, .inv_temperature = 0.8};
  check_status("logp", api->logp(self, &l));
  check_status("logp_bwd", api->logp_bwd(self, &l));
  for (int64_t r = 0; r < R; r++) {
    double sum = 0, dot = 0, all = 0, e = 0;
    for (int64_t c = 0; c < C; c++) {
      sum += exp(0.8 * AT(x, r, c) + AT(mask, c, 0));
      all += exp(0.8 * AT(x, r, c));
    }
    for (int64_t c = 0; c < C; c++)
      dot += exp(0.8 * AT(x, r, c) + AT(mask, c, 0)) / (sum > 0 ? sum : 1) * AT(dy, r, c);
    for (int64_t c = 0; c < C; c++) {
      const double p = sum > 0 ? exp(0.8 * AT(x, r, c) + AT(mask, c, 0)) / sum : 0;
      const double q = exp(0.8 * AT(x, r, c)) / all;
      check_value("softmax", AT(y, r, c), p, 2e-6);
      check_value("softmax dx", AT(dx, r, c), 0.8 * p * (AT(dy, r, c) - dot), 2e-6);
      e -= q * log(q);
      const double d = target[r] < 0 ? 0 : AT(coef, r, 0) * 0.8 * ((c == target[r]) - q);
      check_value("logp dlogits", AT(dl, r, c), d, 2e-6);
    }
    const int t = target[r];
    check_value("logp", AT(logp, r, 0), t < 0 ? 0 : 0.8 * AT(x, r, t) - log(all), 3e-6);
    check_value("logp entropy", AT(ent, r, 0), t < 0 ? 0 : e, 3e-6);
  }
  check_guard("softmax", y), check_guard("softmax dx", dx), check_guard("logp", dl);
  release(x), release(y), release(mask), release(dy), release(dx), release(logp), release(lse);
  release(ent), release(coef), release(dl);
}

static double activation_of(int kind, double x) {
  switch (kind) {
    case SPAR_RELU: return x > 0 ? x : 0;
    case SPAR_GELU: return 0.5 * x * (1 + erf(x / sqrt(2)));
    case SPAR_GELU_TANH:
      return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case SPAR_SILU: return x / (1 + exp(-x));
    case SPAR_TANH: return tanh(x);
    default: return 1 / (1 + exp(-x));
  }
}

static void check_activation(void *self, int kind, int64_t T, int64_t C, int gated, int64_t pad) {
  guarded x = random_tensor(SHAPE(T, C), pad, 9), g = random_tensor(SHAPE(T, C), 0, 1);
  guarded dy = random_tensor(SHAPE(T, C), 0, 1), y = tensor(SHAPE(T, C), pad);
  guarded dx = tensor(SHAPE(T, C), 0), dg = tensor(SHAPE(T, C), pad);
  const spar_activation_args a = {.struct_size = sizeof a, .x = &x.t, .gate = gated ? &g.t : NULL,
                                  .dy = &dy.t, .y = &y.t, .dx = &dx.t,
                                  .dgate = gated ? &dg.t : NULL, .kind = (uint32_t)kind};
  check_status("activation", api->activation(self, &a));
  check_status("activation_bwd", api->activation_bwd(self, &a));
  for (int64_t t = 0; t < T; t++)
    for (int64_t c = 0; c < C; c++) {
      const double v = AT(x, t, c), gate = gated ? AT(g, t, c) : 1, f = activation_of(kind, v);
      const double rise = activation_of(kind, v + 1e-5) - activation_of(kind, v - 1e-5);
      const double slope = kind == SPAR_RELU ? v > 0 : rise / 2e-5;
      check_value("activation", AT(y, t, c), f * gate, 1e-6);
      check_value("activation dx", AT(dx, t, c), slope * gate * AT(dy, t, c), 2e-6);
      if (gated) check_value("activation dgate", AT(dg, t, c), f * AT(dy, t, c), 2e-6);
    }
  check_guard("activation", y), check_guard("activation dx", dx), check_guard("dgate", dg);
  release(x), release(g), release(dy), release(y), release(dx), release(dg);
}

static void check_simple(void *self, int64_t T, int64_t C) {
  guarded x = random_tensor(SHAPE(T, C), 3, 1), z = random_tensor(SHAPE(C), 0, 1);
  guarded y = tensor(SHAPE(T, C), 1), r = tensor(SHAPE(C), 0), one = tensor(SHAPE(1), 0);
  for (int kind = SPAR_ADD; kind <= SPAR_MUL; kind++) {
    const spar_binary_args a = {.struct_size = sizeof a, .x = &x.t, .z = &z.t, .y = &y.t,
                                .alpha = 2, .beta = -0.5, .kind = (uint32_t)kind};
    check_status("binary", api->binary(self, &a));
    for (int64_t t = 0; t < T; t++)
      for (int64_t c = 0; c < C; c++)
        check_value("binary", AT(y, t, c),
                    kind == SPAR_ADD ? 2 * AT(x, t, c) - 0.5 * AT(z, c, 0)
                                     : -AT(x, t, c) * AT(z, c, 0), 1e-6);
  }
  double sum = 0, squares = 0, max = -INFINITY;
  for (int64_t t = 0; t < T; t++)
    for (int64_t c = 0; c < C; c++) {
      sum += AT(x, t, c), squares += AT(x, t, c) * AT(x, t, c);
      max = AT(x, t, c) > max ? AT(x, t, c) : max;
    }
  const double wants[] = {sum, squares, max};
  spar_reduce_args a = {.struct_size = sizeof a, .x = &x.t, .y = &r.t, .kind = SPAR_SUM_ROWS};
  check_status("reduce", api->reduce(self, &a));
  for (int64_t c = 0; c < C; c++) {
    double s = 0;
    for (int64_t t = 0; t < T; t++) s += AT(x, t, c);
    check_value("sum rows", AT(r, c, 0), s, 1e-6);
  }
  for (uint32_t kind = SPAR_SUM_ALL; kind <= SPAR_MAX_ALL; kind++) {
    a.kind = kind, a.y = &one.t;
    check_status("reduce", api->reduce(self, &a));
    check_value("reduce", AT(one, 0, 0), wants[kind - SPAR_SUM_ALL], 1e-6);
  }
  check_status("fill", api->fill(self, &y.t, 3));
  for (int64_t t = 0; t < T; t++)
    for (int64_t c = 0; c < C; c++) check_value("fill", AT(y, t, c), 3, 0);
  check_guard("binary", y), check_guard("reduce", r), check_guard("reduce", one);
  release(x), release(z), release(y), release(r), release(one);
}

static void check_copies(void *self) {
  guarded x = random_tensor(SHAPE(40, 30), 3, 100), y = tensor(SHAPE(50, 30), 1);
  guarded h = tensor(SHAPE(40, 30), 1), back = tensor(SHAPE(40, 30), 0);
  int32_t from[] = {3, 3, 39, 0}, to[] = {9, 0, 49, 7};
  spar_copy_args a = {.struct_size = sizeof a, .x = &x.t, .y = &y.t, .x_rows = from,
                      .y_rows = to, .n_rows = 4};
  check_status("copy", api->copy(self, &a));
  for (int i = 0; i < 4; i++)
    for (int64_t c = 0; c < 30; c++) check_value("copy", AT(y, to[i], c), AT(x, from[i], c), 0);
  check_true("copy leaves other rows", isnan(AT(y, 1, 0)));
  const int32_t types[] = {SPAR_F16, SPAR_BF16};
  const double errors[] = {0x1p-11, 0x1p-8};
  *element(x, 0, 0, 0) = 1e-7f, *element(x, 0, 1, 0) = 65519, *element(x, 0, 2, 0) = -INFINITY;
  for (int i = 0; i < 2; i++) {
    h.t.dtype = types[i];
    h.t.stride[0] = 60; /* elements are half as wide */
    a = (spar_copy_args){.struct_size = sizeof a, .x = &x.t, .y = &h.t};
    check_status("copy down", api->copy(self, &a));
    a = (spar_copy_args){.struct_size = sizeof a, .x = &h.t, .y = &back.t};
    check_status("copy up", api->copy(self, &a));
    for (int64_t r = 0; r < 40; r++)
      for (int64_t c = 0; c < 30; c++) {
        const double v = AT(x, r, c);
        if (isinf(v)) check_true("copy infinity", AT(back, r, c) == v);
        else check_true("copy rounding", fabs(AT(back, r, c) - v) <= errors[i] * fabs(v) + 3e-8);
      }
  }
  guarded table = random_tensor(SHAPE(20, 30), 3, 1), d = zeros(SHAPE(20, 30), 2);
  guarded e = tensor(SHAPE(6, 30), 1);
  const int32_t ids[] = {3, 19, 3, 0, 3, 7};
  spar_embed_args b = {.struct_size = sizeof b, .table = &table.t, .y = &e.t, .dy = &e.t,
                       .dtable = &d.t, .ids = ids};
  check_status("embed", api->embed(self, &b));
  check_status("embed_bwd", api->embed_bwd(self, &b));
  for (int64_t c = 0; c < 30; c++) {
    for (int t = 0; t < 6; t++) check_value("embed", AT(e, t, c), AT(table, ids[t], c), 0);
    check_value("embed_bwd", AT(d, 3, c), 3 * AT(table, 3, c), 1e-6);
    check_value("embed_bwd", AT(d, 1, c), 0, 0);
  }
  check_guard("copy", y), check_guard("embed", e), check_guard("embed_bwd", d);
  release(x), release(y), release(h), release(back), release(table), release(d), release(e);
}

static void check_optimizer(void *self, uint32_t kind, double momentum) {
  const int64_t n = 1003;
  guarded p = random_tensor(SHAPE(n), 0, 1), m = random_tensor(SHAPE(n), 0, 0.1);
  guarded v = random_tensor(SHAPE(n), 0, 0.1), g = random_tensor(SHAPE(n), 0, 1);
  for (int64_t i = 0; i < n; i++) *element(v, i, 0, 0) = fabsf(*element(v, i, 0, 0));
  guarded p0 = copy_of(p), m0 = copy_of(m), v0 = copy_of(v);
  const double lr = 0.01, b1 = 0.9, b2 = 0.99, eps = 1e-8, wd = 0.1, scale = 0.5;
  const spar_optimizer_args a = {.struct_size = sizeof a, .p = &p.t, .m = &m.t, .v = &v.t,
                                 .g = &g.t, .lr = lr, .beta1 = b1, .beta2 = b2, .eps = eps,
                                 .weight_decay = wd, .momentum = momentum, .grad_scale = scale,
                                 .step = 3, .kind = kind};
  check_status("optimizer", api->optimizer(self, &a));
  for (int64_t i = 0; i < n; i++) {
    double P = AT(p0, i, 0), M = AT(m0, i, 0), V = AT(v0, i, 0), G = AT(g, i, 0) * scale;
    if (kind == SPAR_OPT_ADAMW) {
      P -= lr * wd * P, M = b1 * M + (1 - b1) * G, V = b2 * V + (1 - b2) * G * G;
      P -= lr * (M / (1 - pow(b1, 3))) / (sqrt(V / (1 - pow(b2, 3))) + eps);
    } else if (kind == SPAR_OPT_RMSPROP) {
      G += wd * P, V = b2 * V + (1 - b2) * G * G, G /= sqrt(V) + eps;
      if (momentum != 0) M = momentum * M + G, G = M;
      P -= lr * G;
    } else if (kind == SPAR_OPT_SGD) {
      G += wd * P;
      if (momentum != 0) M = momentum * M + G, G = M;
      P -= lr * G;
    } else {
      P -= lr * wd * P;
      const double c = b1 * M + (1 - b1) * G;
      P -= lr * ((c > 0) - (c < 0)), M = b2 * M + (1 - b2) * G;
    }
    check_value("optimizer p", AT(p, i, 0), P, 1e-6);
    check_value("optimizer m", AT(m, i, 0), M, 1e-6);
    check_value("optimizer v", AT(v, i, 0), V, 1e-6);
  }
  check_guard("optimizer", p);
  release(p), release(m), release(v), release(g), release(p0), release(m0), release(v0);
}

void check_rows(void *self) {
  const int64_t sizes[] = {1, 5, 16, 37, 576};
  for (int i = 0; i < 5; i++) {
    check_norm(self, 3, sizes[i], SPAR_NORM_RMS, 0);
    check_norm(self, 150, sizes[i], SPAR_NORM_LAYER, 1);
    check_softmax(self, 60, sizes[i]);
    check_simple(self, 70, sizes[i]);
    for (int kind = SPAR_RELU; kind <= SPAR_SIGMOID; kind++)
      check_activation(self, kind, 9, sizes[i], kind & 1, kind % 3);
  }
  check_rope(self, 64, 0), check_rope(self, 64, 1), check_rope(self, 10, 0);
  check_copies(self);
  check_optimizer(self, SPAR_OPT_ADAMW, 0), check_optimizer(self, SPAR_OPT_RMSPROP, 0);
  check_optimizer(self, SPAR_OPT_RMSPROP, 0.9), check_optimizer(self, SPAR_OPT_SGD, 0.9);
  check_optimizer(self, SPAR_OPT_SGD, 0), check_optimizer(self, SPAR_OPT_LION, 0);
}
