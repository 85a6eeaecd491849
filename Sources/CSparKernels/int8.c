/* Products in 8-bit integers on AVX-512 VNNI; see spar_int8.h. */
#include "spar_int8.h"
#include "spar_plugin.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define SPAR_LANES 16
#define SPAR_FMA 1
#define SPAR_TARGET \
  __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c")))

#pragma clang attribute push(SPAR_TARGET, apply_to = function)
#include "lanes.h"

enum { BLOCK = 32, ROWS = 4, VECTORS = 3 };

/* 32 values as the nearest of -127 .. 127 times the scale that comes back; a block with a value that
 * is not finite gets a scale that is not. */
INLINE float rounded(const float *x, __m128i *first, __m128i *second) {
  const vf low = load(x), high = load(x + VL);
  const float top = max_of(larger(absolute(low), absolute(high)));
  const __m512 inverse = _mm512_set1_ps(top > 0 ? 127.f / top : 0.f);
  *first = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps((__m512)low, inverse)));
  *second = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps((__m512)high, inverse)));
  const int unordered = _mm512_cmp_ps_mask((__m512)low, (__m512)high, _CMP_UNORD_Q);
  return unordered ? NAN : top / 127.f;
}

static void pack(const spar_int8_panel *p, const float *a, int64_t lda, int64_t rows, int64_t k) {
  for (int64_t l = 0; l < p->width; l++)
    for (int64_t t = 0; t < k; t += BLOCK) {
      uint8_t *out = p->q + t * p->width + 4 * l;
      float *scale = p->scale + t / BLOCK * p->width + l;
      if (l >= rows) {
        *scale = 0;
        for (int i = 0; i < BLOCK / 4; i++) memset(out + 4 * i * p->width, 128, 4);
        continue;
      }
      __m128i first, second;
      *scale = rounded(a + l * lda + t, &first, &second);
      const __m128i centre = _mm_set1_epi8((char)0x80);
      uint32_t words[8];
      _mm_storeu_si128((__m128i *)words, _mm_xor_si128(first, centre));
      _mm_storeu_si128((__m128i *)(words + 4), _mm_xor_si128(second, centre));
      for (int i = 0; i < BLOCK / 4; i++) memcpy(out + 4 * i * p->width, words + i, 4);
    }
}

INLINE void give(__m256i q, spar_int8_block *out) {
  _mm256_storeu_si256((__m256i *)out->q, q);
  const __m256i sums = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), q);
  int32_t lanes[8], sum = 0;
  _mm256_storeu_si256((__m256i *)lanes, sums);
  for (int l = 0; l < 8; l++) sum += lanes[l];
  out->offset = -128 * sum;
}

static void round_weights(int64_t n, const float *w, spar_int8_block *out) {
  for (int64_t i = 0; i < n; i += BLOCK, out++) {
    __m128i first, second;
    out->scale = rounded(w + i, &first, &second);
    give(_mm256_set_m128i(second, first), out);
  }
}

static void unpack(int32_t dtype, int64_t n, const void *w, spar_int8_block *out) {
  const uint8_t *x = w;
  for (int64_t i = 0; i < n; i += BLOCK, out++) {
    __m256i q;
    out->scale = _cvtsh_ss((unsigned short)(x[0] | x[1] << 8));
    if (dtype == SPAR_Q8_0) {
      q = _mm256_loadu_si256((const __m256i *)(x + 2));
      x += 34;
    } else {
      const __m128i pairs = _mm_loadu_si128((const __m128i *)(x + 2)), mask = _mm_set1_epi8(15);
      const __m128i low = _mm_and_si128(pairs, mask);
      const __m128i high = _mm_and_si128(_mm_srli_epi16(pairs, 4), mask);
      q = _mm256_sub_epi8(_mm256_set_m128i(high, low), _mm256_set1_epi8(8));
      x += 18;
    }
    give(q, out);
  }
}

INLINE int32_t word_at(const int8_t *p) {
  int32_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

/* `rows` rows of W with `vectors` vectors of x into d, [rows][VECTORS * VL]. */
INLINE void tile(const int rows, const int vectors, int64_t blocks, const spar_int8_panel *p,
                 const spar_int8_block *w, float *d) {
  vf sum[ROWS][VECTORS];
  UNROLL for (int j = 0; j < rows; j++) UNROLL for (int i = 0; i < vectors; i++) sum[j][i] = 0;
  const uint8_t *q = p->q;
  const float *scale = p->scale;
  for (int64_t t = 0; t < blocks; t++, scale += p->width) {
    __m512i acc[ROWS][VECTORS];
    UNROLL for (int j = 0; j < rows; j++) UNROLL for (int i = 0; i < vectors; i++)
      acc[j][i] = _mm512_set1_epi32(w[j * blocks + t].offset);
    UNROLL for (int g = 0; g < BLOCK / 4; g++, q += 4 * p->width) {
      __m512i x[VECTORS];
      UNROLL for (int i = 0; i < vectors; i++) x[i] = _mm512_loadu_si512(q + 64 * i);
      UNROLL for (int j = 0; j < rows; j++) {
        const __m512i y = _mm512_set1_epi32(word_at(w[j * blocks + t].q + 4 * g));
        UNROLL for (int i = 0; i < vectors; i++)
          acc[j][i] = _mm512_dpbusd_epi32(acc[j][i], x[i], y);
      }
    }
    UNROLL for (int j = 0; j < rows; j++) UNROLL for (int i = 0; i < vectors; i++) {
      const vf whole = (vf)_mm512_cvtepi32_ps(acc[j][i]) * splat(w[j * blocks + t].scale);
      sum[j][i] = fma_(whole, load(scale + i * VL), sum[j][i]);
    }
  }
  UNROLL for (int j = 0; j < rows; j++) UNROLL for (int i = 0; i < vectors; i++)
    store(d + (j * VECTORS + i) * VL, sum[j][i]);
}

#define TILE(R, V)                                                                              \
  static __attribute__((noinline)) void tile_##R##x##V(int64_t n, const spar_int8_panel *p,     \
                                                       const spar_int8_block *w, float *d) {    \
    tile(R, V, n, p, w, d);                                                                     \
  }
TILE(1, 1) TILE(1, 2) TILE(1, 3) TILE(4, 1) TILE(4, 2) TILE(4, 3)

static void product(int64_t k, int64_t lanes, int64_t rows, const spar_int8_panel *p,
                    const spar_int8_block *w, float *c, int64_t ldc, const spar_epilogue *e) {
  static void (*const tiles[2][3])(int64_t, const spar_int8_panel *, const spar_int8_block *,
                                   float *) = {{tile_1x1, tile_1x2, tile_1x3},
                                               {tile_4x1, tile_4x2, tile_4x3}};
  const int64_t blocks = k / BLOCK, vectors = p->width / VL;
  float d[VL][VECTORS * VL] __attribute__((aligned(64)));
  for (int64_t j = 0; j < rows; j += VL) { /* a cache line of every row of c at a time */
    const int64_t n = rows - j < VL ? rows - j : VL;
    for (int64_t i = 0; i < n;) {
      const int64_t step = n - i >= ROWS ? ROWS : 1;
      tiles[step == ROWS][vectors - 1](blocks, p, w + (j + i) * blocks, d[i]);
      i += step;
    }
    for (int64_t l = 0; l < lanes; l++)
      for (int64_t i = 0; i < n; i++) {
        float *out = c + l * ldc + j + i;
        const float y = d[i][l] * e->alpha + (e->bias ? e->bias[j + i] : 0.f);
        *out = e->beta != 0 ? y + *out * e->beta : y;
      }
  }
}
#pragma clang attribute pop

static const spar_int8_kernels kernels = {
  .lanes = VL, .panel_lanes = VECTORS * VL, .pack = pack, .unpack = unpack, .round = round_weights,
  .product = product};

const spar_int8_kernels *spar_int8_kernels_here(void) {
  const int vnni = spar_kernels_for("avx512")->lanes == 16 && __builtin_cpu_supports("avx512vnni");
  return vnni ? &kernels : NULL;
}
#else
const spar_int8_kernels *spar_int8_kernels_here(void) { return NULL; }
#endif
