/*
 * Matrix products by outer products on register tiles.
 *
 *   D[j][l] = sum over t of b[j, t] * panel[t][l]
 *
 * Lanes l run along a packed panel, rows j are broadcast straight from memory.  Every element is
 * one chain of FMAs in the order of t, whatever tile it falls in and however many lanes or rows
 * there are: the bits of a result never depend on its neighbours.
 *
 * 8 x 3 vectors (AVX-512) do 24 FMAs per 11 loads: 117.5 of 118.2 GFLOP/s of a Zen 4 core, without
 * packing b.  Such cores multiply half a vector in half the time, so 40 lanes are 2 1/2 vectors.
 */
#if SPAR_LANES == 16
enum { TILE_ROWS = 8, TILE_VECTORS = 3 };
#elif SPAR_LANES == 8
enum { TILE_ROWS = 4, TILE_VECTORS = 3 };
#else
enum { TILE_ROWS = 4, TILE_VECTORS = 2 };
#endif
enum { PANEL = TILE_VECTORS * VL };

/* acc[i] += b x[i].  Three vectors of AVX-512 in one piece: compilers fetch every b ahead of the
 * products otherwise, which takes more registers than there are and spills accumulators. */
INLINE void add_row(const int vectors, const float *b, const vf *x, vf *acc) {
#if SPAR_LANES == 16
  if (vectors == 3) {
    vf w;
    __asm__ volatile(
        "vbroadcastss %[b], %[w]\n\t"
        "vfmadd231ps %[x0], %[w], %[a0]\n\t"
        "vfmadd231ps %[x1], %[w], %[a1]\n\t"
        "vfmadd231ps %[x2], %[w], %[a2]"
        : [w] "=&v"(w), [a0] "+v"(acc[0]), [a1] "+v"(acc[1]), [a2] "+v"(acc[2])
        : [b] "m"(*b), [x0] "v"(x[0]), [x1] "v"(x[1]), [x2] "v"(x[2]));
    return;
  }
#endif
  const vf w = splat(*b);
  UNROLL for (int i = 0; i < vectors; i++) acc[i] = fma_(w, x[i], acc[i]);
}

/* One tile into d, rows `step` apart.  `ahead` is where the next rows of b start, or NULL. */
INLINE void tile(const int rows, const int vectors, int64_t k, const float *p, int64_t p_step,
                 const float *b, int64_t row_step, int64_t t_step, const float *ahead, float *d,
                 int64_t step) {
  vf acc[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int j = 0; j < rows; j++) UNROLL for (int i = 0; i < vectors; i++) acc[j][i] = 0;
  for (int64_t t = 0; t < k; t++) {
    vf x[TILE_VECTORS];
    UNROLL for (int i = 0; i < vectors; i++) x[i] = load(p + i * VL);
    UNROLL for (int j = 0; j < rows; j++) add_row(vectors, b + j * row_step, x, acc[j]);
    if (ahead) __builtin_prefetch(ahead + t * TILE_ROWS, 0, 2);
    p += p_step;
    b += t_step;
  }
  UNROLL for (int j = 0; j < rows; j++)
    UNROLL for (int i = 0; i < vectors; i++) store(d + j * step + i * VL, acc[j][i] + 0.f);
}

#if SPAR_LANES == 16
typedef float v8 __attribute__((ext_vector_type(8)));
typedef float v8_any __attribute__((ext_vector_type(8), aligned(4)));

/* The same with `vectors` and a half; in one piece for the same reason. */
INLINE void add_row_and_half(const int vectors, const float *b, const vf *x, v8 y, vf *acc,
                             v8 *half) {
  vf w;
  if (vectors == 2)
    __asm__ volatile(
        "vbroadcastss %[b], %[w]\n\t"
        "vfmadd231ps %[x0], %[w], %[a0]\n\t"
        "vfmadd231ps %[x1], %[w], %[a1]\n\t"
        "vfmadd231ps %[b]%{1to8%}, %[y], %[h]"
        : [w] "=&v"(w), [a0] "+v"(acc[0]), [a1] "+v"(acc[1]), [h] "+v"(*half)
        : [b] "m"(*b), [x0] "v"(x[0]), [x1] "v"(x[1]), [y] "v"(y));
  else if (vectors == 1)
    __asm__ volatile(
        "vbroadcastss %[b], %[w]\n\t"
        "vfmadd231ps %[x0], %[w], %[a0]\n\t"
        "vfmadd231ps %[b]%{1to8%}, %[y], %[h]"
        : [w] "=&v"(w), [a0] "+v"(acc[0]), [h] "+v"(*half)
        : [b] "m"(*b), [x0] "v"(x[0]), [y] "v"(y));
  else
    *half = __builtin_elementwise_fma((v8)*b, y, *half);
}

/* The upper half of d's last vectors is left as it is. */
INLINE void tile_and_half(const int rows, const int vectors, int64_t k, const float *p,
                          int64_t p_step, const float *b, int64_t row_step, int64_t t_step,
                          const float *ahead, float *d, int64_t step) {
  vf acc[TILE_ROWS][TILE_VECTORS];
  v8 half[TILE_ROWS];
  UNROLL for (int j = 0; j < rows; j++) {
    UNROLL for (int i = 0; i < vectors; i++) acc[j][i] = 0;
    half[j] = 0;
  }
  for (int64_t t = 0; t < k; t++) {
    vf x[TILE_VECTORS];
    UNROLL for (int i = 0; i < vectors; i++) x[i] = load(p + i * VL);
    const v8 y = *(const v8_any *)(p + vectors * VL);
    UNROLL for (int j = 0; j < rows; j++)
      add_row_and_half(vectors, b + j * row_step, x, y, acc[j], &half[j]);
    if (ahead) __builtin_prefetch(ahead + t * TILE_ROWS, 0, 2);
    p += p_step;
    b += t_step;
  }
  UNROLL for (int j = 0; j < rows; j++) {
    UNROLL for (int i = 0; i < vectors; i++) store(d + j * step + i * VL, acc[j][i] + 0.f);
    *(v8_any *)(d + j * step + vectors * VL) = half[j] + 0.f;
  }
}
#endif

#define TILE_FUNCTION(NAME, TILE, ROWS, VECTORS)                                                 \
  static __attribute__((noinline)) void NAME(const spar_product *a, const float *b, float *d,    \
                                             int64_t step) {                                     \
    if (a->t_step == 1)                                                                          \
      TILE(ROWS, VECTORS, a->k, a->panel, a->panel_step, b, a->row_step, 1,                      \
           b + ROWS * a->row_step, d, step);                                                     \
    else if (a->row_step == 1 && a->t_step == TILE_ROWS)                                         \
      TILE(ROWS, VECTORS, a->k, a->panel, a->panel_step, b, 1, TILE_ROWS, b + a->k * TILE_ROWS,  \
           d, step);                                                                             \
    else                                                                                         \
      TILE(ROWS, VECTORS, a->k, a->panel, a->panel_step, b, a->row_step, a->t_step, NULL, d,     \
           step);                                                                                \
  }

typedef void (*tile_fn)(const spar_product *, const float *, float *, int64_t);

/* tiles_ROWS[vectors - 1]; with 16 lanes, [whole vectors + 3] is that many and a half. */
#if SPAR_LANES == 16
#define TILES_OF(ROWS)                                                                  \
  TILE_FUNCTION(tile_##ROWS##x1, tile, ROWS, 1)                                         \
  TILE_FUNCTION(tile_##ROWS##x2, tile, ROWS, 2)                                         \
  TILE_FUNCTION(tile_##ROWS##x3, tile, ROWS, 3)                                         \
  TILE_FUNCTION(tile_##ROWS##x0_half, tile_and_half, ROWS, 0)                           \
  TILE_FUNCTION(tile_##ROWS##x1_half, tile_and_half, ROWS, 1)                           \
  TILE_FUNCTION(tile_##ROWS##x2_half, tile_and_half, ROWS, 2)                           \
  static const tile_fn tiles_##ROWS[] = {                                               \
    tile_##ROWS##x1,      tile_##ROWS##x2,      tile_##ROWS##x3,                        \
    tile_##ROWS##x0_half, tile_##ROWS##x1_half, tile_##ROWS##x2_half};
TILES_OF(8)
#elif SPAR_LANES == 8
#define TILES_OF(ROWS)                                                                  \
  TILE_FUNCTION(tile_##ROWS##x1, tile, ROWS, 1)                                         \
  TILE_FUNCTION(tile_##ROWS##x2, tile, ROWS, 2)                                         \
  TILE_FUNCTION(tile_##ROWS##x3, tile, ROWS, 3)                                         \
  static const tile_fn tiles_##ROWS[] = {tile_##ROWS##x1, tile_##ROWS##x2, tile_##ROWS##x3};
#else
#define TILES_OF(ROWS)                                                                  \
  TILE_FUNCTION(tile_##ROWS##x1, tile, ROWS, 1)                                         \
  TILE_FUNCTION(tile_##ROWS##x2, tile, ROWS, 2)                                         \
  static const tile_fn tiles_##ROWS[] = {tile_##ROWS##x1, tile_##ROWS##x2};
#endif
TILES_OF(4)
TILES_OF(2)
TILES_OF(1)

/* The tile for at least one of `rows` remaining rows of `lanes`; *done is how many it takes. */
INLINE tile_fn tile_for(int64_t rows, int64_t lanes, int64_t *done) {
  int64_t size = (lanes - 1) / VL;
#if SPAR_LANES == 16
  if ((lanes - 1) % VL < VL / 2) size += TILE_VECTORS;
  if (rows >= 8) return *done = 8, tiles_8[size];
#endif
  if (rows >= 4) return *done = 4, tiles_4[size];
  if (rows >= 2) return *done = 2, tiles_2[size];
  return *done = 1, tiles_1[size];
}

/* c <- alpha d + beta c + bias on a vector; beta 0 never reads c. */
INLINE vf combine(vf d, const float *c, float alpha, float beta, vf bias) {
  vf y = fma_(splat(alpha), d, bias);
  if (beta != 0) y = fma_(splat(beta), load(c), y);
  return y;
}

/* Rows of d become rows of c. */
INLINE void write_rows(const float *d, int64_t rows, int64_t lanes, float *c, int64_t ldc,
                       const spar_epilogue *e) {
  for (int64_t j = 0; j < rows; j++, d += PANEL, c += ldc) {
    int64_t l = 0;
    for (; l + VL <= lanes; l += VL) {
      const vf bias = e->bias ? load(e->bias + l) : splat(0.f);
      store(c + l, combine(load(d + l), c + l, e->alpha, e->beta, bias));
    }
    if (l < lanes) {
      const int64_t n = lanes - l;
      const vf bias = e->bias ? load_part(e->bias + l, n) : splat(0.f);
      vf y = fma_(splat(e->alpha), load_part(d + l, n), bias);
      if (e->beta != 0) y = fma_(splat(e->beta), load_part(c + l, n), y);
      store_part(c + l, y, n);
    }
  }
}

/* Columns of d become rows of c.  A row of c is finished before the next: rows often stand a
 * multiple of 4 KiB apart, where the first-level cache holds only a few of them. */
INLINE void write_columns(const float *d, int64_t rows, int64_t lanes, float *c, int64_t ldc,
                          const spar_epilogue *e) {
  const float alpha = e->alpha, beta = e->beta;
  const int64_t whole = rows / 4 * 4;
  int64_t l = 0;
#if SPAR_LANES == 16
  for (; rows == VL && l + VL <= lanes; l += VL) {
    const vf bias = e->bias ? load(e->bias) : splat(0.f);
    vf r[VL];
    UNROLL for (int i = 0; i < VL; i++) r[i] = load(d + i * PANEL + l);
    transpose16(r);
    UNROLL for (int i = 0; i < VL; i++) {
      float *out = c + (l + i) * ldc;
      store(out, combine(r[i], out, alpha, beta, bias));
    }
  }
#endif
  for (; l + 4 <= lanes; l += 4)
    for (int64_t j = 0; j < whole; j += 4) {
      v4 r[4], bias = 0;
      if (e->bias) bias = *(const v4_any *)(e->bias + j);
      UNROLL for (int i = 0; i < 4; i++) r[i] = *(const v4_any *)(d + (j + i) * PANEL + l);
      transpose4(r);
      UNROLL for (int i = 0; i < 4; i++) {
        v4_any *out = (v4_any *)(c + (l + i) * ldc + j);
        v4 y = r[i] * alpha + bias;
        if (beta != 0) y += *out * beta;
        *out = y;
      }
    }
  for (int64_t i = 0; i < lanes; i++)
    for (int64_t j = i < l ? whole : 0; j < rows; j++) {
      float *out = c + i * ldc + j;
      const float y = d[j * PANEL + i] * alpha + (e->bias ? e->bias[j] : 0.f);
      *out = beta != 0 ? y + *out * beta : y;
    }
}

/* Asks for the part of c that the next tiles write, while they are computed. */
INLINE void prefetch_target(float *c, int64_t ldc, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t l = 0; l < columns; l += 16) __builtin_prefetch(c + i * ldc + l, 1, 3);
}

static void product(const spar_product *a, float *c, int64_t ldc, const spar_epilogue *e) {
  float d[2 * TILE_ROWS * PANEL] __attribute__((aligned(64)));
  /* Products that c shall hold as they are need no way round. */
  const int direct = !e->transposed && e->alpha == 1 && e->beta == 0 && !e->bias && a->lanes % VL == 0;
  for (int64_t j = 0; j < a->rows;) {
    /* Two tiles before a transposed write, so that it fills whole cache lines. */
    int64_t filled = 0;
    if (e->transposed) prefetch_target(c + j, ldc, a->lanes, 1);
    const int64_t left = a->rows - j, room = left < 2 * TILE_ROWS ? left : 2 * TILE_ROWS;
    if (!e->transposed) prefetch_target(c + j * ldc, ldc, room, a->lanes);
    while (filled < room) {
      int64_t done;
      const int64_t at = j + filled;
      const float *b = a->b + at / TILE_ROWS * a->group_step + at % TILE_ROWS * a->row_step;
      const tile_fn f = tile_for(room - filled, a->lanes, &done);
      if (direct) f(a, b, c + at * ldc, ldc);
      else f(a, b, d + filled * PANEL, PANEL);
      filled += done;
    }
    if (e->transposed) {
      spar_epilogue at = *e;
      if (e->bias) at.bias += j;
      write_columns(d, filled, a->lanes, c + j, ldc, &at);
    } else if (!direct) {
      write_rows(d, filled, a->lanes, c + j * ldc, ldc, e);
    }
    j += filled;
  }
}

/* panel[t][l] = a[row l][t], lanes padded with zeros to whole vectors. */
static void pack_rows(float *panel, const float *a, int64_t lda, const int32_t *index, int64_t rows,
                      int64_t k) {
  const int64_t width = (rows + VL - 1) / VL * VL;
  int64_t l = 0;
#if SPAR_LANES == 16
  for (; l + VL <= rows; l += VL) {
    const float *s[VL];
    for (int i = 0; i < VL; i++) s[i] = a + (index ? index[l + i] : l + i) * lda;
    int64_t t = 0;
    for (; t + VL <= k; t += VL) {
      vf r[VL];
      UNROLL for (int i = 0; i < VL; i++) r[i] = load(s[i] + t);
      transpose16(r);
      UNROLL for (int i = 0; i < VL; i++) store(panel + (t + i) * width + l, r[i]);
    }
    for (; t < k; t++)
      for (int i = 0; i < VL; i++) panel[t * width + l + i] = s[i][t];
  }
#endif
  for (; l + 4 <= rows; l += 4) {
    const float *s[4];
    for (int i = 0; i < 4; i++) s[i] = a + (index ? index[l + i] : l + i) * lda;
    int64_t t = 0;
    for (; t + 4 <= k; t += 4) {
      v4 r[4];
      UNROLL for (int i = 0; i < 4; i++) r[i] = *(const v4_any *)(s[i] + t);
      transpose4(r);
      UNROLL for (int i = 0; i < 4; i++) *(v4_any *)(panel + (t + i) * width + l) = r[i];
    }
    for (; t < k; t++)
      for (int i = 0; i < 4; i++) panel[t * width + l + i] = s[i][t];
  }
  for (; l < width; l++) {
    const float *s = l < rows ? a + (index ? index[l] : l) * lda : NULL;
    for (int64_t t = 0; t < k; t++) panel[t * width + l] = s ? s[t] : 0.f;
  }
}

enum { PACK_AHEAD = 16 };

/* panel[t][l] = b[t][l], lanes padded with zeros to whole vectors. */
static void pack_columns(float *panel, const float *b, int64_t ldb, int64_t k, int64_t columns) {
  const int64_t width = (columns + VL - 1) / VL * VL;
  for (int64_t t = 0; t < k; t++, b += ldb, panel += width) {
    /* Rows are short and far apart: the processor's own prefetcher does not follow them. */
    for (int64_t l = 0; l < columns; l += 16) __builtin_prefetch(b + PACK_AHEAD * ldb + l, 0, 3);
    int64_t l = 0;
    for (; l + VL <= columns; l += VL) store(panel + l, load(b + l));
    if (l < columns) store(panel + l, load_part(b + l, columns - l));
  }
}

/* strips[j / TILE_ROWS][t][j % TILE_ROWS] = b[t][j]: for products whose rows lie along b's. */
static void pack_strips(float *strips, const float *b, int64_t ldb, int64_t k, int64_t columns) {
  for (int64_t j = 0; j < columns; j += TILE_ROWS, strips += k * TILE_ROWS) {
    if (columns - j >= TILE_ROWS) {
      for (int64_t t = 0; t < k; t++)
        memcpy(strips + t * TILE_ROWS, b + t * ldb + j, TILE_ROWS * sizeof(float));
    } else {
      for (int64_t t = 0; t < k; t++)
        for (int64_t i = 0; i < columns - j; i++) strips[t * TILE_ROWS + i] = b[t * ldb + j + i];
    }
  }
}
