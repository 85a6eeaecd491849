/*
 * Vectors of SPAR_LANES floats, written once and compiled for each instruction set.
 *
 * Included after SPAR_LANES (4, 8 or 16) and SPAR_FMA (0 or 1) are defined, inside a region that
 * sets the target.  No function here passes a vector across a call that is not inlined.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { VL = SPAR_LANES };

typedef float vf __attribute__((ext_vector_type(SPAR_LANES)));
typedef int32_t vi __attribute__((ext_vector_type(SPAR_LANES)));
typedef float vf_any __attribute__((ext_vector_type(SPAR_LANES), aligned(4)));
typedef float v4 __attribute__((ext_vector_type(4)));
typedef float v4_any __attribute__((ext_vector_type(4), aligned(4)));

INLINE vf load(const float *p) { return *(const vf_any *)p; }
INLINE void store(float *p, vf v) { *(vf_any *)p = v; }
INLINE vf splat(float x) { return (vf)x; }

/* The first n < VL floats at p, zeros after them; reads nothing beyond. */
INLINE vf load_part(const float *p, int64_t n) {
#if SPAR_LANES == 16
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  float lanes[VL] = {0};
  for (int64_t i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
#endif
}

INLINE void store_part(float *p, vf v, int64_t n) {
#if SPAR_LANES == 16
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  float lanes[VL];
  store(lanes, v);
  for (int64_t i = 0; i < n; i++) p[i] = lanes[i];
#endif
}

INLINE vf fma_(vf a, vf b, vf c) {
#if SPAR_FMA
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

INLINE vf larger(vf a, vf b) { return a > b ? a : b; }
INLINE vf smaller(vf a, vf b) { return a < b ? a : b; }
INLINE vf absolute(vf a) { return __builtin_elementwise_abs(a); }
INLINE vf root(vf a) { return __builtin_elementwise_sqrt(a); }

/* Sum in a fixed tree: halves, quarters, ... */
INLINE float sum_of(vf v) {
  float lanes[VL];
  store(lanes, v);
  for (int w = VL / 2; w > 0; w /= 2)
    for (int i = 0; i < w; i++) lanes[i] += lanes[i + w];
  return lanes[0];
}

INLINE float max_of(vf v) {
  float lanes[VL];
  store(lanes, v);
  for (int w = VL / 2; w > 0; w /= 2)
    for (int i = 0; i < w; i++) lanes[i] = lanes[i] > lanes[i + w] ? lanes[i] : lanes[i + w];
  return lanes[0];
}

/*
 * e^c for -86.6 <= c <= 88.9, error below 1.5 ulp.
 * c = n ln2 + r, |r| <= ln2/2; the polynomial is e^r's series to r^7, its tail below 1 ulp.
 */
INLINE vf exp_within(vf c) {
  const vf magic = splat(12582912.f); /* 1.5 * 2^23 */
  const vf t = fma_(c, splat(1.44269504f), magic);
  const vf n = t - magic;
  vf r = fma_(n, splat(-0.693145752f), c); /* the high part has 12 zero bits: exact without FMA */
  r = fma_(n, splat(-1.42860677e-6f), r);
  vf p = splat(1.f / 5040);
  p = fma_(p, r, splat(1.f / 720));
  p = fma_(p, r, splat(1.f / 120));
  p = fma_(p, r, splat(1.f / 24));
  p = fma_(p, r, splat(1.f / 6));
  p = fma_(p, r, splat(0.5f));
  p = fma_(p, r * r, r);
  p = (p + 1.f) * 2.f;
  /* The low bits of t hold n; 2^(n-1) is always normal here. */
  const vi bits = (__builtin_bit_cast(vi, t) + 126) << 23;
  return p * __builtin_bit_cast(vf, bits);
}

/* e^x.  Results under 2^-125 become 0 (a subnormal costs 150 cycles and means nothing in a
 * softmax); overflow gives infinity, NaN stays. */
INLINE vf exp_(vf x) {
  const vf low = splat(-86.6f), high = splat(88.9f);
  vf y = exp_within(smaller(larger(x, low), high));
  y = x < low ? splat(0.f) : y;
  y = x > splat(88.7228394f) ? splat(INFINITY) : y;
  return x != x ? x : y;
}

/* tanh x = 1 - 2 / (e^2x + 1), by its series near 0 where that cancels. */
INLINE vf tanh_(vf x) {
  const vf a = absolute(x), s = x * x;
  const vf far = 1.f - 2.f / (exp_(2.f * a) + 1.f);
  vf p = splat(-1.45583438e-3f);
  p = fma_(p, s, splat(21844.f / 6081075));
  p = fma_(p, s, splat(-1382.f / 155925));
  p = fma_(p, s, splat(62.f / 2835));
  p = fma_(p, s, splat(-17.f / 315));
  p = fma_(p, s, splat(2.f / 15));
  p = fma_(p, s, splat(-1.f / 3));
  const vf near = fma_(p * s, x, x);
  return a < splat(0.55f) ? near : (x < splat(0.f) ? -far : far);
}

INLINE vf sigmoid_(vf x) { return 1.f / (1.f + exp_(-x)); }
