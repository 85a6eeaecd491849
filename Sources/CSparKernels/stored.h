/*
 * Weights as files store them, to float32: 16-bit floats, and ggml's blocks of 32.
 *
 * The arithmetic is ggml's: d q, or d q + m with two roundings.  So a product over decoded rows has
 * the bits of the same product over weights that were expanded when they were loaded.
 */
enum { BLOCK = 32, Q8_0_BYTES = 34, Q4_0_BYTES = 18, Q4_1_BYTES = 20 };

typedef uint16_t vh __attribute__((ext_vector_type(SPAR_LANES)));
typedef uint32_t vu __attribute__((ext_vector_type(SPAR_LANES)));
typedef int8_t vb __attribute__((ext_vector_type(SPAR_LANES)));
typedef uint8_t vub __attribute__((ext_vector_type(SPAR_LANES)));

INLINE vf from_bf16(const void *p) {
  vh h;
  memcpy(&h, p, sizeof h);
  return __builtin_bit_cast(vf, __builtin_convertvector(h, vu) << 16);
}

INLINE vf from_f16(const void *p) {
#if SPAR_LANES == 16
  return (vf)_mm512_cvtph_ps(_mm256_loadu_si256(p));
#elif SPAR_LANES == 8
  return (vf)_mm256_cvtph_ps(_mm_loadu_si128(p));
#else
  vh h;
  memcpy(&h, p, sizeof h);
  const vu w = __builtin_convertvector(h, vu), magnitude = (w & 0x7fff) << 13;
  const vf finite = __builtin_bit_cast(vf, magnitude) * splat(0x1p112f);
  const vf special = __builtin_bit_cast(vf, magnitude | 0x7f800000u);
  const vf value = (w & 0x7c00) == 0x7c00 ? special : finite;
  return __builtin_bit_cast(vf, __builtin_bit_cast(vu, value) | (w & 0x8000) << 16);
#endif
}

INLINE float half_at(const uint8_t *p) {
#if SPAR_LANES >= 8
  return _cvtsh_ss((unsigned short)(p[0] | p[1] << 8));
#else
  uint16_t lanes[VL] = {(uint16_t)(p[0] | p[1] << 8)};
  return from_f16(lanes)[0];
#endif
}

INLINE void decode_q8_0(const uint8_t *x, float *y) {
  const vf d = splat(half_at(x));
  UNROLL for (int i = 0; i < BLOCK; i += VL) {
    vb q;
    memcpy(&q, x + 2 + i, sizeof q);
    store(y + i, __builtin_convertvector(__builtin_convertvector(q, vi), vf) * d);
  }
}

/* Nibbles: the low ones are the first half of the block. */
INLINE void decode_q4(const uint8_t *q, vf d, int32_t centre, const vf *m, float *y) {
  UNROLL for (int i = 0; i < BLOCK / 2; i += VL) {
    vub b;
    memcpy(&b, q + i, sizeof b);
    const vi low = __builtin_convertvector(b & 15, vi) - centre;
    const vi high = __builtin_convertvector(b >> 4, vi) - centre;
    vf first = __builtin_convertvector(low, vf) * d, second = __builtin_convertvector(high, vf) * d;
    if (m) {
      first += *m;
      second += *m;
    }
    store(y + i, first);
    store(y + BLOCK / 2 + i, second);
  }
}

static void decode(int32_t dtype, int64_t n, const void *from, float *y) {
  const uint8_t *x = from;
  int64_t i = 0;
  switch (dtype) {
  case SPAR_BF16:
    for (; i + VL <= n; i += VL) store(y + i, from_bf16(x + 2 * i));
    break;
  case SPAR_F16:
    for (; i + VL <= n; i += VL) store(y + i, from_f16(x + 2 * i));
    break;
  case SPAR_Q8_0:
    for (; i < n; i += BLOCK, x += Q8_0_BYTES) decode_q8_0(x, y + i);
    return;
  case SPAR_Q4_0:
    for (; i < n; i += BLOCK, x += Q4_0_BYTES)
      decode_q4(x + 2, splat(half_at(x)), 8, NULL, y + i);
    return;
  case SPAR_Q4_1:
    for (; i < n; i += BLOCK, x += Q4_1_BYTES) {
      const vf m = splat(half_at(x + 2));
      decode_q4(x + 4, splat(half_at(x)), 0, &m, y + i);
    }
    return;
  default: return;
  }
  if (i < n) {
    uint16_t rest[VL] = {0};
    float lanes[VL];
    memcpy(rest, x + 2 * i, (size_t)(n - i) * 2);
    store(lanes, dtype == SPAR_BF16 ? from_bf16(rest) : from_f16(rest));
    memcpy(y + i, lanes, (size_t)(n - i) * sizeof(float));
  }
}
