/* Activations, sums and scalings over runs of memory. */

/* erf x, error below 3 ulp: x P(x^2) near 0, 1 - e^(-t Q(t)) beyond; P and Q are Chebyshev fits of
 * degree 6 and 8. */
INLINE vf erf_(vf x) {
  const vf t = smaller(absolute(x), splat(4.f)), s = x * x;
  vf p = splat(8.39218189e-5f);
  p = fma_(p, s, splat(-8.14838568e-4f));
  p = fma_(p, s, splat(5.20158140e-3f));
  p = fma_(p, s, splat(-2.68596429e-2f));
  p = fma_(p, s, splat(1.12837002e-1f));
  p = fma_(p, s, splat(-3.76126349e-1f));
  p = fma_(p, s, splat(1.12837923f));
  vf q = splat(-3.19684005e-7f);
  q = fma_(q, t, splat(5.34637638e-6f));
  q = fma_(q, t, splat(-2.00283102e-5f));
  q = fma_(q, t, splat(-2.41907444e-4f));
  q = fma_(q, t, splat(3.56995221e-3f));
  q = fma_(q, t, splat(-2.38445420e-2f));
  q = fma_(q, t, splat(1.06480345e-1f));
  q = fma_(q, t, splat(6.34950101e-1f));
  q = fma_(q, t, splat(1.12870657f));
  const vf far = 1.f - exp_within(-(q * t)); /* 0 <= q t < 17 */
  return t < splat(0.92f) ? p * x : x < splat(0.f) ? -far : x != x ? x : far;
}

#define ROOT_2_OVER_PI 0.797884561f

/* f(x), and f'(x) when slope is given. */
INLINE vf activate(const uint32_t kind, vf x, vf *slope) {
  const vf one = splat(1.f), zero = splat(0.f);
  if (kind == SPAR_RELU) {
    if (slope) *slope = x > zero ? one : zero;
    return x > zero ? x : x != x ? x : zero;
  }
  if (kind == SPAR_GELU) {
    const vf cdf = 0.5f * (1.f + erf_(x * 0.707106781f));
    if (slope) *slope = fma_(x * 0.398942280f, exp_(-0.5f * x * x), cdf);
    return x * cdf;
  }
  if (kind == SPAR_GELU_TANH) {
    const vf t = tanh_(ROOT_2_OVER_PI * fma_(0.044715f * x * x, x, x));
    if (slope)
      *slope = 0.5f * (1.f + t) +
               0.5f * x * (1.f - t * t) * ROOT_2_OVER_PI * fma_(splat(0.134145f), x * x, one);
    return 0.5f * x * (1.f + t);
  }
  if (kind == SPAR_SILU) {
    const vf s = sigmoid_(x);
    if (slope) *slope = s * fma_(x, 1.f - s, one);
    return x * s;
  }
  if (kind == SPAR_TANH) {
    const vf t = tanh_(x);
    if (slope) *slope = 1.f - t * t;
    return t;
  }
  const vf s = sigmoid_(x);
  if (slope) *slope = s * (1.f - s);
  return s;
}

INLINE void activate_run(const uint32_t kind, int64_t n, const float *x, const float *gate,
                         float *y) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) {
    const vf f = activate(kind, load(x + i), 0);
    store(y + i, gate ? f * load(gate + i) : f);
  }
  if (i == n) return;
  const vf f = activate(kind, load_part(x + i, n - i), 0);
  store_part(y + i, gate ? f * load_part(gate + i, n - i) : f, n - i);
}

INLINE void activate_bwd_run(const uint32_t kind, int64_t n, const float *x, const float *gate,
                             const float *dy, float *dx, float *dgate) {
  for (int64_t i = 0; i < n; i += VL) {
    const int64_t k = n - i;
    const int whole = k >= VL;
    vf slope;
    const vf f = activate(kind, whole ? load(x + i) : load_part(x + i, k), &slope);
    const vf d = whole ? load(dy + i) : load_part(dy + i, k);
    vf r = d * slope;
    if (gate) r *= whole ? load(gate + i) : load_part(gate + i, k);
    if (whole) {
      if (dx) store(dx + i, r);
      if (dgate) store(dgate + i, d * f);
    } else {
      if (dx) store_part(dx + i, r, k);
      if (dgate) store_part(dgate + i, d * f, k);
    }
  }
}

#define EACH_ACTIVATION(CALL)             \
  switch (kind) {                         \
    case SPAR_RELU: CALL(SPAR_RELU)       \
    case SPAR_GELU: CALL(SPAR_GELU)       \
    case SPAR_GELU_TANH: CALL(SPAR_GELU_TANH) \
    case SPAR_SILU: CALL(SPAR_SILU)       \
    case SPAR_TANH: CALL(SPAR_TANH)       \
    default: CALL(SPAR_SIGMOID)           \
  }

static void activation(uint32_t kind, int64_t n, const float *x, const float *gate, float *y) {
#define RUN(K) activate_run(K, n, x, gate, y); break;
  EACH_ACTIVATION(RUN)
#undef RUN
}

static void activation_bwd(uint32_t kind, int64_t n, const float *x, const float *gate,
                           const float *dy, float *dx, float *dgate) {
#define RUN(K) activate_bwd_run(K, n, x, gate, dy, dx, dgate); break;
  EACH_ACTIVATION(RUN)
#undef RUN
}

static void axpby(int64_t n, float alpha, const float *x, float beta, const float *z, float *y) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store(y + i, fma_(load(x + i), splat(alpha), load(z + i) * beta));
  if (i == n) return;
  const int64_t k = n - i;
  store_part(y + i, fma_(load_part(x + i, k), splat(alpha), load_part(z + i, k) * beta), k);
}

static void multiply(int64_t n, float alpha, const float *x, const float *z, float *y) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store(y + i, load(x + i) * alpha * load(z + i));
  for (; i < n; i++) y[i] = x[i] * alpha * z[i];
}

static void add(int64_t n, const float *x, float *y) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store(y + i, load(y + i) + load(x + i));
  for (; i < n; i++) y[i] += x[i];
}

static void scale(int64_t n, float a, const float *x, float *y) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store(y + i, load(x + i) * a);
  for (; i < n; i++) y[i] = x[i] * a;
}

static void fill(int64_t n, float value, float *y) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store(y + i, splat(value));
  for (; i < n; i++) y[i] = value;
}

/* Sums in double: eight chains, so that the compiler can keep them in vectors. */
static double sum(int64_t n, const float *x) {
  double s[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) UNROLL for (int j = 0; j < 8; j++) s[j] += (double)x[i + j];
  for (; i < n; i++) s[i % 8] += (double)x[i];
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

static double sum_of_squares(int64_t n, const float *x) {
  double s[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    UNROLL for (int j = 0; j < 8; j++) s[j] += (double)x[i + j] * (double)x[i + j];
  for (; i < n; i++) s[i % 8] += (double)x[i] * (double)x[i];
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

static float maximum(int64_t n, const float *x) {
  vf m = splat(-INFINITY), bad = splat(0.f);
  int64_t i = 0;
  for (; i + VL <= n; i += VL) {
    const vf v = load(x + i);
    m = larger(v, m);
    bad = v != v ? v : bad;
  }
  float r = max_of(m);
  float lanes[VL];
  store(lanes, bad);
  for (int j = 0; j < VL; j++)
    if (lanes[j] != lanes[j]) r = lanes[j];
  for (; i < n; i++) r = x[i] != x[i] || x[i] > r ? x[i] : r;
  return r;
}
