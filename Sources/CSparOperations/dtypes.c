#include "dtypes.h"
#include "spar_plugin.h"

static float from_half(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, mantissa = h & 0x3ff;
  uint32_t exponent = h >> 10 & 31, bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000 | mantissa << 13;
  } else if (exponent) {
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  } else { /* subnormal: mantissa 2^-24 */
    float f = (float)mantissa * 0x1p-24f;
    memcpy(&bits, &f, sizeof bits);
    bits |= sign;
  }
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/* Round to nearest, ties to even. */
static uint16_t to_half(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; /* from 65520 on */
  if (magnitude < 0x38800000) { /* below 2^-14: units of 2^-24, rounded by the addition */
    float m;
    memcpy(&m, &magnitude, sizeof m);
    m += 0.5f; /* an ulp of 0.5 is 2^-24 */
    uint32_t r;
    memcpy(&r, &m, sizeof r);
    return sign | (uint16_t)(r - 0x3f000000);
  }
  return sign | (uint16_t)((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13);
}

static float from_bf16(uint16_t h) {
  const uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static uint16_t to_bf16(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static int is_float(int32_t t) {
  return t == SPAR_F32 || t == SPAR_F16 || t == SPAR_BF16 || t == SPAR_F64;
}

int can_convert(int32_t from, int32_t to) {
  return (from == to && spar_dtype_size(from)) || (is_float(from) && is_float(to));
}

static void widen(int64_t n, int32_t from, const void *x, float *y) {
  const uint16_t *h = x;
  const double *d = x;
  if (from == SPAR_F16)
    for (int64_t i = 0; i < n; i++) y[i] = from_half(h[i]);
  else if (from == SPAR_BF16)
    for (int64_t i = 0; i < n; i++) y[i] = from_bf16(h[i]);
  else if (from == SPAR_F64)
    for (int64_t i = 0; i < n; i++) y[i] = (float)d[i];
  else
    memcpy(y, x, (size_t)n * sizeof(float));
}

static void narrow(int64_t n, const float *x, int32_t to, void *y) {
  uint16_t *h = y;
  double *d = y;
  if (to == SPAR_F16)
    for (int64_t i = 0; i < n; i++) h[i] = to_half(x[i]);
  else if (to == SPAR_BF16)
    for (int64_t i = 0; i < n; i++) h[i] = to_bf16(x[i]);
  else if (to == SPAR_F64)
    for (int64_t i = 0; i < n; i++) d[i] = (double)x[i];
  else
    memcpy(y, x, (size_t)n * sizeof(float));
}

void convert_run(int64_t n, int32_t from, const void *x, int32_t to, void *y) {
  if (from == to) {
    memmove(y, x, (size_t)n * spar_dtype_size(from));
    return;
  }
  float block[256]; /* through float, in pieces that stay in cache */
  const char *in = x;
  char *out = y;
  while (n > 0) {
    const int64_t m = n < 256 ? n : 256;
    widen(m, from, in, block);
    narrow(m, block, to, out);
    in += m * (int64_t)spar_dtype_size(from);
    out += m * (int64_t)spar_dtype_size(to);
    n -= m;
  }
}
