/* Norms, rotary embedding, softmax and log-probabilities: one row at a time. */

INLINE float row_sum(int64_t n, const float *x) {
  vf s = 0;
  int64_t i = 0;
  for (; i + VL <= n; i += VL) s += load(x + i);
  if (i < n) s += load_part(x + i, n - i);
  return sum_of(s);
}

INLINE float row_dot(int64_t n, const float *x, const float *y) {
  vf s = 0, r = 0;
  int64_t i = 0;
  for (; i + 2 * VL <= n; i += 2 * VL) {
    s = fma_(load(x + i), load(y + i), s);
    r = fma_(load(x + i + VL), load(y + i + VL), r);
  }
  if (i + VL <= n) {
    s = fma_(load(x + i), load(y + i), s);
    i += VL;
  }
  if (i < n) r = fma_(load_part(x + i, n - i), load_part(y + i, n - i), r);
  return sum_of(s + r);
}

static float dot(int64_t n, const float *x, const float *y) { return row_dot(n, x, y); }

/* y = (x - mean) rstd w + b */
INLINE void scale_row(int64_t C, const float *x, float mean, float rstd, const float *w,
                      const float *b, float *y) {
  for (int64_t i = 0; i < C; i += VL) {
    const int64_t n = C - i;
    const int whole = n >= VL;
    vf v = ((whole ? load(x + i) : load_part(x + i, n)) - mean) * rstd;
    if (w) v *= whole ? load(w + i) : load_part(w + i, n);
    if (b) v += whole ? load(b + i) : load_part(b + i, n);
    if (whole) store(y + i, v);
    else store_part(y + i, v, n);
  }
}

static void rms_norm(int64_t C, const float *x, const float *w, const float *b, float eps, float *y,
                     float *rstd) {
  const float r = 1.f / sqrtf(row_dot(C, x, x) / (float)C + eps);
  if (rstd) *rstd = r;
  scale_row(C, x, 0.f, r, w, b, y);
}

static void layer_norm(int64_t C, const float *x, const float *w, const float *b, float eps,
                       float *y, float *mean, float *rstd) {
  const float m = row_sum(C, x) / (float)C;
  vf s = 0; /* squares about the mean: no cancellation */
  int64_t i = 0;
  for (; i + VL <= C; i += VL) {
    const vf d = load(x + i) - m;
    s = fma_(d, d, s);
  }
  float rest = 0;
  for (; i < C; i++) rest += (x[i] - m) * (x[i] - m);
  const float r = 1.f / sqrtf((sum_of(s) + rest) / (float)C + eps);
  if (mean) *mean = m;
  if (rstd) *rstd = r;
  scale_row(C, x, m, r, w, b, y);
}

/* With h = (x - mean) rstd and g = dy w:  dx = rstd (g - h mean(g h) - [centred] mean(g)). */
static void norm_bwd(int64_t C, const float *x, const float *w, const float *dy, int centred,
                     float mean, float rstd, int accumulate, float *dx, float *dweight,
                     float *dbias) {
  vf gh = 0, g1 = 0;
  for (int64_t i = 0; i < C; i += VL) {
    const int64_t n = C - i;
    const int whole = n >= VL;
    const vf d = whole ? load(dy + i) : load_part(dy + i, n);
    vf h = ((whole ? load(x + i) : load_part(x + i, n)) - mean) * rstd;
    const vf g = w ? d * (whole ? load(w + i) : load_part(w + i, n)) : d;
    gh = fma_(g, h, gh);
    g1 += g;
    if (dweight) {
      const vf s = fma_(d, h, whole ? load(dweight + i) : load_part(dweight + i, n));
      if (whole) store(dweight + i, s);
      else store_part(dweight + i, s, n);
    }
    if (dbias) {
      const vf s = d + (whole ? load(dbias + i) : load_part(dbias + i, n));
      if (whole) store(dbias + i, s);
      else store_part(dbias + i, s, n);
    }
  }
  if (!dx) return;
  const float a = sum_of(gh) / (float)C, c = centred ? sum_of(g1) / (float)C : 0.f;
  for (int64_t i = 0; i < C; i += VL) {
    const int64_t n = C - i;
    const int whole = n >= VL;
    const vf d = whole ? load(dy + i) : load_part(dy + i, n);
    const vf h = ((whole ? load(x + i) : load_part(x + i, n)) - mean) * rstd;
    const vf g = w ? d * (whole ? load(w + i) : load_part(w + i, n)) : d;
    vf v = (g - h * a - c) * rstd;
    if (accumulate) v += whole ? load(dx + i) : load_part(dx + i, n);
    if (whole) store(dx + i, v);
    else store_part(dx + i, v, n);
  }
}

static void rope(int64_t half, int interleaved, float *x, const float *cos, const float *sin,
                 float sign) {
  if (interleaved) {
    for (int64_t i = 0; i < half; i++) {
      const float a = x[2 * i], b = x[2 * i + 1], s = sign * sin[i];
      x[2 * i] = a * cos[i] - b * s;
      x[2 * i + 1] = b * cos[i] + a * s;
    }
    return;
  }
  int64_t i = 0;
  for (; i + VL <= half; i += VL) {
    const vf a = load(x + i), b = load(x + half + i), c = load(cos + i), s = load(sin + i) * sign;
    store(x + i, a * c - b * s);
    store(x + half + i, b * c + a * s);
  }
  for (; i < half; i++) {
    const float a = x[i], b = x[half + i], s = sign * sin[i];
    x[i] = a * cos[i] - b * s;
    x[half + i] = b * cos[i] + a * s;
  }
}

/* scale x + mask; lanes beyond the row are -inf. */
INLINE vf logits(int64_t n, const float *x, const float *mask, float scale) {
  if (n >= VL) return mask ? fma_(load(x), splat(scale), load(mask)) : load(x) * scale;
  float lanes[VL];
  for (int64_t i = 0; i < VL; i++)
    lanes[i] = i >= n ? -INFINITY : mask ? x[i] * scale + mask[i] : x[i] * scale;
  return load(lanes);
}

INLINE float row_max(int64_t C, const float *x, const float *mask, float scale) {
  vf m = splat(-INFINITY);
  for (int64_t i = 0; i < C; i += VL)
    m = larger(logits(C - i, x + i, mask ? mask + i : 0, scale), m);
  return max_of(m);
}

/* A row without any finite logit gives zeros. */
static void softmax(int64_t C, const float *x, const float *mask, float scale, float *y) {
  const float m = row_max(C, x, mask, scale);
  if (m == -INFINITY) {
    memset(y, 0, (size_t)C * sizeof(float));
    return;
  }
  vf s = 0;
  for (int64_t i = 0; i < C; i += VL) {
    const vf e = exp_(logits(C - i, x + i, mask ? mask + i : 0, scale) - m);
    s += e;
    if (C - i >= VL) store(y + i, e);
    else store_part(y + i, e, C - i);
  }
  const float r = 1.f / sum_of(s);
  int64_t i = 0;
  for (; i + VL <= C; i += VL) store(y + i, load(y + i) * r);
  for (; i < C; i++) y[i] *= r;
}

static void softmax_bwd(int64_t C, const float *y, const float *dy, float scale, float *dx) {
  const float d = row_dot(C, y, dy);
  int64_t i = 0;
  for (; i + VL <= C; i += VL) store(dx + i, (load(dy + i) - d) * load(y + i) * scale);
  for (; i < C; i++) dx[i] = (dy[i] - d) * y[i] * scale;
}

static void log_sum_exp(int64_t C, const float *x, float scale, float *lse, float *entropy) {
  const float m = row_max(C, x, 0, scale);
  vf s = 0, w = 0;
  for (int64_t i = 0; i < C; i += VL) {
    const vf d = logits(C - i, x + i, 0, scale) - m;
    const vf e = exp_(d);
    s += e;
    w += d < splat(-86.f) ? splat(0.f) : d * e; /* -inf * 0 is not a number */
  }
  const float sum = sum_of(s);
  *lse = m + logf(sum);
  if (entropy) *entropy = logf(sum) - sum_of(w) / sum;
}

static void logp_bwd(int64_t C, const float *x, float scale, float lse, float coef, int64_t target,
                     float *dx) {
  const float c = coef * scale, z = x[target] * scale;
  for (int64_t i = 0; i < C; i += VL) {
    const vf p = exp_(logits(C - i, x + i, 0, scale) - lse) * -c;
    if (C - i >= VL) store(dx + i, p);
    else store_part(dx + i, p, C - i);
  }
  dx[target] = c * (1.f - expf(z - lse));
}
