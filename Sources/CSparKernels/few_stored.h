/*
 * Products of at most 8 rows of x with stored weights, for decoding, where memory sets the pace.
 *
 * Lanes are 16 rows of W: their stored words are turned in registers, widened there and multiplied
 * with x[t] in the order of t.  So every sum is the chain of FMAs that product() makes, and the
 * weights are read once, as they are stored, and never written anywhere.
 */
#if SPAR_LANES == 16
typedef struct few_rows_of_w {
  const uint8_t *row[VL]; /* beyond the last row, the last once more */
  int64_t ahead;          /* bytes to the next 16 rows */
} few_rows_of_w;

#define FEW_FMA(W, T)                                                                            \
  do {                                                                                           \
    const vf w_ = (W);                                                                           \
    UNROLL for (int l = 0; l < m; l++) acc[l] = fma_(w_, splat(x[l][T]), acc[l]);                \
  } while (0)

/* 16 bytes of each row as 4 vectors: v[c] holds bytes 4 c to 4 c + 3 of every row. */
INLINE void turn_16_bytes(const few_rows_of_w *w, int64_t at, __m512i v[4]) {
  __m512i r[4];
  UNROLL for (int i = 0; i < 4; i++) {
    __m512i z = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(w->row[i] + at)));
    z = _mm512_inserti32x4(z, _mm_loadu_si128((const __m128i *)(w->row[4 + i] + at)), 1);
    z = _mm512_inserti32x4(z, _mm_loadu_si128((const __m128i *)(w->row[8 + i] + at)), 2);
    r[i] = _mm512_inserti32x4(z, _mm_loadu_si128((const __m128i *)(w->row[12 + i] + at)), 3);
  }
  const __m512i a = _mm512_unpacklo_epi32(r[0], r[1]), b = _mm512_unpackhi_epi32(r[0], r[1]);
  const __m512i c = _mm512_unpacklo_epi32(r[2], r[3]), d = _mm512_unpackhi_epi32(r[2], r[3]);
  v[0] = _mm512_unpacklo_epi64(a, c);
  v[1] = _mm512_unpackhi_epi64(a, c);
  v[2] = _mm512_unpacklo_epi64(b, d);
  v[3] = _mm512_unpackhi_epi64(b, d);
}

INLINE uint16_t bits_at(const uint8_t *p) {
  uint16_t bits;
  memcpy(&bits, p, sizeof bits);
  return bits;
}

/* The f16 at that place of every row. */
INLINE vf turn_halves(const few_rows_of_w *w, int64_t at) {
  __m128i low = _mm_setzero_si128(), high = low;
#define LANE(I)                                                    \
  low = _mm_insert_epi16(low, bits_at(w->row[I] + at), I);         \
  high = _mm_insert_epi16(high, bits_at(w->row[8 + (I)] + at), I);
  LANE(0) LANE(1) LANE(2) LANE(3) LANE(4) LANE(5) LANE(6) LANE(7)
#undef LANE
  return (vf)_mm512_cvtph_ps(_mm256_set_m128i(high, low));
}

INLINE void prefetch_rows(const few_rows_of_w *w, int64_t at) {
  UNROLL for (int i = 0; i < VL; i++) __builtin_prefetch(w->row[i] + w->ahead + at, 0, 2);
}

/* 32 values of 16 bits. */
INLINE void few_step_16_bits(const int m, const int bf16, const few_rows_of_w *w, int64_t t,
                             int64_t n, const float *const x[], vf acc[]) {
  vf r[VL];
  const __mmask32 some = n >= 32 ? 0xffffffffu : (1u << n) - 1;
  UNROLL for (int i = 0; i < VL; i++)
    r[i] = (vf)_mm512_castsi512_ps(_mm512_maskz_loadu_epi16(some, w->row[i] + 2 * t));
  prefetch_rows(w, 2 * t);
  transpose16(r);
  const __m512i halves = _mm512_set_epi16(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1,
                                          30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  UNROLL for (int i = 0; i < VL; i++) {
    const __m512i pair = _mm512_castps_si512((__m512)r[i]);
    vf even, odd;
    if (bf16) {
      even = (vf)_mm512_castsi512_ps(_mm512_slli_epi32(pair, 16));
      odd = (vf)_mm512_castsi512_ps(_mm512_and_si512(pair, _mm512_set1_epi32((int)0xffff0000)));
    } else {
      const __m512i parted = _mm512_permutexvar_epi16(halves, pair);
      even = (vf)_mm512_cvtph_ps(_mm512_castsi512_si256(parted));
      odd = (vf)_mm512_cvtph_ps(_mm512_extracti64x4_epi64(parted, 1));
    }
    if (2 * i < n) FEW_FMA(even, t + 2 * i);
    if (2 * i + 1 < n) FEW_FMA(odd, t + 2 * i + 1);
  }
}

INLINE void few_16_bits(const int m, const int bf16, const few_rows_of_w *w, int64_t k,
                        const float *const x[], vf acc[]) {
  int64_t t = 0;
  for (; t + 32 <= k; t += 32) few_step_16_bits(m, bf16, w, t, 32, x, acc);
  if (t < k) few_step_16_bits(m, bf16, w, t, k - t, x, acc);
}

INLINE void few_q8_0(const int m, const few_rows_of_w *w, int64_t k, const float *const x[],
                     vf acc[]) {
  int64_t at = 0;
  for (int64_t t = 0; t < k; t += BLOCK, at += Q8_0_BYTES) {
    const vf d = turn_halves(w, at);
    prefetch_rows(w, at);
    UNROLL for (int half = 0; half < 2; half++) {
      __m512i v[4];
      turn_16_bytes(w, at + 2 + 16 * half, v);
      UNROLL for (int c = 0; c < 4; c++) UNROLL for (int b = 0; b < 4; b++) {
        const __m512i q = _mm512_srai_epi32(_mm512_slli_epi32(v[c], 24 - 8 * b), 24);
        FEW_FMA((vf)_mm512_cvtepi32_ps(q) * d, t + 16 * half + 4 * c + b);
      }
    }
  }
}

INLINE void few_q4(const int m, const int with_minimum, const few_rows_of_w *w, int64_t k,
                   const float *const x[], vf acc[]) {
  const int64_t size = with_minimum ? Q4_1_BYTES : Q4_0_BYTES;
  const __m512 value = with_minimum
    ? _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
    : _mm512_set_ps(7, 6, 5, 4, 3, 2, 1, 0, -1, -2, -3, -4, -5, -6, -7, -8);
  int64_t at = 0;
  for (int64_t t = 0; t < k; t += BLOCK, at += size) {
    const vf d = turn_halves(w, at), least = with_minimum ? turn_halves(w, at + 2) : splat(0.f);
    prefetch_rows(w, at);
    __m512i v[4];
    turn_16_bytes(w, at + size - 16, v);
    UNROLL for (int high = 0; high < 2; high++)
      UNROLL for (int c = 0; c < 4; c++) UNROLL for (int b = 0; b < 4; b++) {
        /* The permutation looks at the lowest 4 bits alone. */
        const __m512i q = _mm512_srli_epi32(v[c], 8 * b + 4 * high);
        vf y = (vf)_mm512_permutexvar_ps(q, value) * d;
        if (with_minimum) y += least;
        FEW_FMA(y, t + 16 * high + 4 * c + b);
      }
  }
}
#undef FEW_FMA

INLINE void few_group(const int m, const spar_few_stored *a, int64_t first, int64_t lanes,
                      const float *const x[], float *c, int64_t ldc, const spar_epilogue *e) {
  few_rows_of_w w = {.ahead = VL * a->row_bytes};
  const uint8_t *base = (const uint8_t *)a->w + first * a->row_bytes;
  for (int64_t i = 0; i < VL; i++) w.row[i] = base + (i < lanes ? i : lanes - 1) * a->row_bytes;
  vf acc[8];
  UNROLL for (int l = 0; l < m; l++) acc[l] = 0;
  switch (a->dtype) {
  case SPAR_BF16: few_16_bits(m, 1, &w, a->k, x, acc); break;
  case SPAR_F16: few_16_bits(m, 0, &w, a->k, x, acc); break;
  case SPAR_Q8_0: few_q8_0(m, &w, a->k, x, acc); break;
  case SPAR_Q4_0: few_q4(m, 0, &w, a->k, x, acc); break;
  default: few_q4(m, 1, &w, a->k, x, acc); break;
  }
  const vf bias = e->bias ? load_part(e->bias + first, lanes) : splat(0.f);
  UNROLL for (int l = 0; l < m; l++) {
    if (l >= a->m) break;
    float *out = c + l * ldc + first;
    vf y = fma_(splat(e->alpha), acc[l], bias);
    if (e->beta != 0) y = fma_(splat(e->beta), load_part(out, lanes), y);
    store_part(out, y, lanes);
  }
}

#define FEW_STORED(M)                                                                             \
  static __attribute__((noinline)) void few_stored_##M(const spar_few_stored *a, float *c,        \
                                                       int64_t ldc, const spar_epilogue *e) {     \
    const float *x[M]; /* beyond the last row, the last once more */                              \
    for (int64_t l = 0; l < M; l++) x[l] = a->x + (l < a->m ? l : a->m - 1) * a->ldx;             \
    for (int64_t j = 0; j < a->rows; j += VL)                                                     \
      few_group(M, a, j, a->rows - j < VL ? a->rows - j : VL, x, c, ldc, e);                      \
  }
FEW_STORED(1)
FEW_STORED(2)
FEW_STORED(4)
FEW_STORED(6)
FEW_STORED(8)

static void few_stored(const spar_few_stored *a, float *c, int64_t ldc, const spar_epilogue *e) {
  if (a->m <= 1) few_stored_1(a, c, ldc, e);
  else if (a->m == 2) few_stored_2(a, c, ldc, e);
  else if (a->m <= 4) few_stored_4(a, c, ldc, e);
  else if (a->m <= 6) few_stored_6(a, c, ldc, e);
  else few_stored_8(a, c, ldc, e);
}
#endif
