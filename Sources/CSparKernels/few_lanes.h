/*
 * The product of product.h for a few lanes, as in decoding (the query heads of one key head): lanes
 * of the vectors run along v's rows, which are read where they lie.
 */
enum { FEW_VECTORS = 4, FEW_ROWS = 3, AHEAD = 16 };

INLINE void few_tile(const int lanes, const int vectors, int64_t part, int64_t k, int64_t width,
                     const float *s, int64_t ldv, const float *v, int accumulate, float *out,
                     int64_t D) {
  vf acc[FEW_ROWS][FEW_VECTORS];
  UNROLL for (int l = 0; l < lanes; l++) UNROLL for (int i = 0; i < vectors; i++) {
    const float *o = out + l * D + i * VL;
    acc[l][i] = !accumulate ? splat(0.f) : part ? load_part(o, part) : load(o);
  }
  for (int64_t t = 0; t < k; t++, s += width, v += ldv) {
    vf x[FEW_VECTORS];
    UNROLL for (int i = 0; i < vectors * VL; i += 16) __builtin_prefetch(v + AHEAD * ldv + i, 0, 3);
    UNROLL for (int i = 0; i < vectors; i++)
      x[i] = part ? load_part(v + i * VL, part) : load(v + i * VL);
    UNROLL for (int l = 0; l < lanes; l++) {
      const vf w = splat(s[l]);
      UNROLL for (int i = 0; i < vectors; i++) acc[l][i] = fma_(w, x[i], acc[l][i]);
    }
  }
  UNROLL for (int l = 0; l < lanes; l++) UNROLL for (int i = 0; i < vectors; i++) {
    if (part) store_part(out + l * D + i * VL, acc[l][i], part);
    else store(out + l * D + i * VL, acc[l][i]);
  }
}

static void accumulate_rows(int64_t k, int64_t lanes, int64_t width, const float *s, int64_t D,
                            int64_t ldv, const float *v, int accumulate, float *out) {
#define FEW(LANES, VECTORS, PART) \
  few_tile(LANES, VECTORS, PART, k, width, s + l, ldv, v + d, accumulate, out + l * D + d, D)
#define FEW_LANES(VECTORS, PART)              \
  do {                                        \
    int64_t l = 0;                            \
    for (; l + 3 <= lanes; l += 3) FEW(3, VECTORS, PART); \
    for (; l < lanes; l++) FEW(1, VECTORS, PART);         \
  } while (0)
  int64_t d = 0;
  for (; d + FEW_VECTORS * VL <= D; d += FEW_VECTORS * VL) FEW_LANES(FEW_VECTORS, 0);
  for (; d + VL <= D; d += VL) FEW_LANES(1, 0);
  if (d < D) FEW_LANES(1, D - d);
#undef FEW
#undef FEW_LANES
}
