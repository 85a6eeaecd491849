/* One optimizer step over a run of parameters; the formulas are in spar_plugin.h. */

typedef struct moments {
  vf p, m, v;
} moments;

INLINE moments step_of(const spar_step *s, const uint32_t kind, int momentum, vf p, vf m, vf v,
                       vf g) {
  g *= s->grad_scale;
  if (kind == SPAR_OPT_ADAMW) {
    p -= p * (s->lr * s->weight_decay);
    m = m * s->beta1 + g * (1.f - s->beta1);
    v = v * s->beta2 + g * g * (1.f - s->beta2);
    p -= s->lr * (m * s->correction1) / (root(v * s->correction2) + s->eps);
  } else if (kind == SPAR_OPT_RMSPROP) {
    g += p * s->weight_decay;
    v = v * s->beta2 + g * g * (1.f - s->beta2);
    vf u = g / (root(v) + s->eps);
    if (momentum) u = m = m * s->momentum + u;
    p -= u * s->lr;
  } else if (kind == SPAR_OPT_SGD) {
    g += p * s->weight_decay;
    if (momentum) g = m = m * s->momentum + g;
    p -= g * s->lr;
  } else {
    p -= p * (s->lr * s->weight_decay);
    const vf c = m * s->beta1 + g * (1.f - s->beta1);
    p -= c > splat(0.f) ? splat(s->lr) : c < splat(0.f) ? splat(-s->lr) : splat(0.f);
    m = m * s->beta2 + g * (1.f - s->beta2);
  }
  return (moments){p, m, v};
}

INLINE void steps_of(const spar_step *s, const uint32_t kind, int64_t n, float *p, float *m,
                     float *v, const float *g) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) {
    const moments r = step_of(s, kind, m != 0, load(p + i), m ? load(m + i) : splat(0.f),
                              v ? load(v + i) : splat(0.f), load(g + i));
    store(p + i, r.p);
    if (m) store(m + i, r.m);
    if (v) store(v + i, r.v);
  }
  if (i == n) return;
  const int64_t k = n - i;
  const moments r = step_of(s, kind, m != 0, load_part(p + i, k),
                            m ? load_part(m + i, k) : splat(0.f),
                            v ? load_part(v + i, k) : splat(0.f), load_part(g + i, k));
  store_part(p + i, r.p, k);
  if (m) store_part(m + i, r.m, k);
  if (v) store_part(v + i, r.v, k);
}

static void optimize(const spar_step *s, int64_t n, float *p, float *m, float *v, const float *g) {
  switch (s->kind) {
    case SPAR_OPT_ADAMW: steps_of(s, SPAR_OPT_ADAMW, n, p, m, v, g); break;
    case SPAR_OPT_RMSPROP: steps_of(s, SPAR_OPT_RMSPROP, n, p, m, v, g); break;
    case SPAR_OPT_SGD: steps_of(s, SPAR_OPT_SGD, n, p, m, v, g); break;
    case SPAR_OPT_LION: steps_of(s, SPAR_OPT_LION, n, p, m, v, g); break;
    default: break;
  }
}
