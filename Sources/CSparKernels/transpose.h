/* Square blocks turned about their diagonal, in registers. */

INLINE void transpose4(v4 r[4]) {
  const v4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
  const v4 b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const v4 c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const v4 d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

#if SPAR_LANES == 16
/* 16 x 16 by 64 shuffles: pairs of floats, pairs of pairs, then quarters of vectors. */
INLINE void transpose16(vf r[16]) {
  vf a[16];
  UNROLL for (int i = 0; i < 16; i += 4) {
    const __m512 x = (__m512)r[i], y = (__m512)r[i + 1], z = (__m512)r[i + 2];
    const __m512 w = (__m512)r[i + 3];
    const __m512d p = _mm512_castps_pd(_mm512_unpacklo_ps(x, y));
    const __m512d q = _mm512_castps_pd(_mm512_unpackhi_ps(x, y));
    const __m512d s = _mm512_castps_pd(_mm512_unpacklo_ps(z, w));
    const __m512d t = _mm512_castps_pd(_mm512_unpackhi_ps(z, w));
    a[i] = (vf)_mm512_unpacklo_pd(p, s);
    a[i + 1] = (vf)_mm512_unpackhi_pd(p, s);
    a[i + 2] = (vf)_mm512_unpacklo_pd(q, t);
    a[i + 3] = (vf)_mm512_unpackhi_pd(q, t);
  }
  /* a[4 g + c], quarter b: columns 4 b + c of rows 4 g to 4 g + 3. */
  UNROLL for (int c = 0; c < 4; c++) {
    const __m512 x = (__m512)a[c], y = (__m512)a[4 + c], z = (__m512)a[8 + c];
    const __m512 w = (__m512)a[12 + c];
    const __m512 p = _mm512_shuffle_f32x4(x, y, 0x44), q = _mm512_shuffle_f32x4(x, y, 0xee);
    const __m512 s = _mm512_shuffle_f32x4(z, w, 0x44), t = _mm512_shuffle_f32x4(z, w, 0xee);
    r[c] = (vf)_mm512_shuffle_f32x4(p, s, 0x88);
    r[4 + c] = (vf)_mm512_shuffle_f32x4(p, s, 0xdd);
    r[8 + c] = (vf)_mm512_shuffle_f32x4(q, t, 0x88);
    r[12 + c] = (vf)_mm512_shuffle_f32x4(q, t, 0xdd);
  }
}
#endif
