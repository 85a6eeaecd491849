/*
 * Softmax down the columns of [rows][lanes]: what attention and the language-model head need when
 * lanes are tokens.  No lane looks at another, so a token's bits do not depend on its batch.
 */

/* cap(z) = c tanh(z / c), its derivative 1 - (cap / c)^2. */
INLINE vf capped(vf z, float softcap) {
  return softcap > 0 ? tanh_(z * (1.f / softcap)) * softcap : z;
}

INLINE vf cap_slope(vf z, float softcap) {
  const vf r = z * (1.f / softcap);
  return softcap > 0 ? 1.f - r * r : splat(1.f);
}

INLINE vf log_lanes(vf v) {
  float lanes[VL];
  store(lanes, v);
  for (int i = 0; i < VL; i++) lanes[i] = logf(lanes[i]);
  return load(lanes);
}

INLINE vi load_int(const int32_t *p) {
  vi v;
  memcpy(&v, p, sizeof v);
  return v;
}

static void attend(const spar_columns *c, float *s, float *lse, float *inverse) {
  const float scale = c->scale, softcap = c->softcap;
  for (int64_t l = 0; l < c->width; l += VL) {
    const vi first = load_int(c->first + l), end = load_int(c->end + l);
    vf m = splat(-INFINITY);
    for (int64_t t = 0; t < c->keys; t++) {
      const vf z = capped(load(s + t * c->width + l) * scale, softcap);
      const vi seen = ((int32_t)t >= first) & ((int32_t)t < end);
      m = larger(seen ? z : m, m);
      if (softcap > 0) store(s + t * c->width + l, z);
    }
    const vf base = m == splat(-INFINITY) ? splat(0.f) : m; /* a row that sees nothing */
    const float again = softcap > 0 ? 1.f : scale;
    vf sum = 0;
    for (int64_t t = 0; t < c->keys; t++) {
      const vi seen = ((int32_t)t >= first) & ((int32_t)t < end);
      const vf e = exp_(load(s + t * c->width + l) * splat(again) - base);
      const vf p = seen ? e : splat(0.f);
      store(s + t * c->width + l, p);
      sum += p;
    }
    store(lse + l, m + log_lanes(sum));
    store(inverse + l, sum > splat(0.f) ? 1.f / sum : splat(0.f));
  }
}

static void attend_bwd(const spar_columns *c, float *s, float *dp, const float *lse,
                       const float *delta) {
  for (int64_t l = 0; l < c->width; l += VL) {
    const vi first = load_int(c->first + l), end = load_int(c->end + l);
    const vf L = load(lse + l), D = load(delta + l);
    for (int64_t t = 0; t < c->keys; t++) {
      float *ps = s + t * c->width + l, *pd = dp + t * c->width + l;
      const vf z = capped(load(ps) * c->scale, c->softcap);
      const vi seen = ((int32_t)t >= first) & ((int32_t)t < end);
      const vf p = seen ? exp_(z - L) : splat(0.f);
      vf d = p * (load(pd) - D) * c->scale;
      if (c->softcap > 0) d *= cap_slope(z, c->softcap);
      store(ps, p);
      store(pd, seen ? d : splat(0.f));
    }
  }
}

static void vocab(int64_t rows, int64_t width, float scale, float softcap, int64_t first_row,
                  const int32_t *target, float *z, const spar_vocab_state *s, float *picked) {
  for (int64_t l = 0; l < width; l += VL) {
    const vf before = load(s->max + l);
    vf m = before;
    for (int64_t v = 0; v < rows; v++) {
      const vf x = capped(load(z + v * width + l) * scale, softcap);
      store(z + v * width + l, x);
      m = larger(x, m);
    }
    for (int64_t i = l; i < l + VL; i++) {
      const int64_t row = target[i] - first_row;
      if (row >= 0 && row < rows) picked[i] = z[row * width + i];
    }
    /* The first block has max = -inf and sums of 0. */
    const vf shift = before == splat(-INFINITY) ? splat(0.f) : before - m, fade = exp_(shift);
    const vf old = load(s->sum + l) * fade;
    const vf old_weighted = fma_(shift, old, load(s->weighted + l) * fade);
    vf sum = 0, weighted = 0, squares = 0;
    for (int64_t v = 0; v < rows; v++) {
      const vf d = load(z + v * width + l) - m, e = exp_(d);
      sum += e;
      weighted += e > splat(0.f) ? d * e : splat(0.f); /* not -inf * 0 */
      squares = fma_(e, e, squares);
    }
    store(s->max + l, m);
    store(s->sum + l, old + sum);
    store(s->weighted + l, old_weighted + weighted);
    store(s->squares + l, load(s->squares + l) * fade * fade + squares);
  }
}

static void vocab_bwd(int64_t rows, int64_t width, float scale, float softcap, int64_t first_row,
                      const int32_t *target, const float *lse, const float *coef, float *z) {
  for (int64_t l = 0; l < width; l += VL) {
    const vf L = load(lse + l), c = load(coef + l) * scale;
    const vi at = load_int(target + l) - (int32_t)first_row;
    for (int64_t v = 0; v < rows; v++) {
      const vf x = capped(load(z + v * width + l) * scale, softcap);
      const vf hot = at == (int32_t)v ? splat(1.f) : splat(0.f);
      vf d = c * (hot - exp_(x - L));
      if (softcap > 0) d *= cap_slope(x, softcap);
      store(z + v * width + l, d);
    }
  }
}
