/*
 * Attention of a few queries, as in decoding (the heads that share one key head): vectors run along
 * keys and along v's rows instead, with scores as s[query][key].  Every chain of sums has the order
 * it has in product.h and columns.h, so the bits are the same.
 */
enum { FEW_VECTORS = 4, FEW_ROWS = 3, FEW_QUERIES = 8, AHEAD = 16 };

INLINE void few_tile(const int lanes, const int vectors, int64_t part, int64_t k, int64_t lane_step,
                     const float *s, int64_t ldv, const float *v, int accumulate, float *out,
                     int64_t D) {
  vf acc[FEW_ROWS][FEW_VECTORS];
  UNROLL for (int l = 0; l < lanes; l++) UNROLL for (int i = 0; i < vectors; i++) {
    const float *o = out + l * D + i * VL;
    acc[l][i] = !accumulate ? splat(0.f) : part ? load_part(o, part) : load(o);
  }
  for (int64_t t = 0; t < k; t++, v += ldv) {
    vf x[FEW_VECTORS];
    UNROLL for (int i = 0; i < vectors * VL; i += 16) __builtin_prefetch(v + AHEAD * ldv + i, 0, 3);
    UNROLL for (int i = 0; i < vectors; i++)
      x[i] = part ? load_part(v + i * VL, part) : load(v + i * VL);
    UNROLL for (int l = 0; l < lanes; l++) {
      const vf w = splat(s[l * lane_step + t]);
      UNROLL for (int i = 0; i < vectors; i++) acc[l][i] = fma_(w, x[i], acc[l][i]);
    }
  }
  UNROLL for (int l = 0; l < lanes; l++) UNROLL for (int i = 0; i < vectors; i++) {
    if (part) store_part(out + l * D + i * VL, acc[l][i], part);
    else store(out + l * D + i * VL, acc[l][i]);
  }
}

static void few_rows(int64_t k, int64_t lanes, int64_t lane_step, const float *s, int64_t D,
                     int64_t ldv, const float *v, int accumulate, float *out) {
#define FEW(LANES, VECTORS, PART) \
  few_tile(LANES, VECTORS, PART, k, lane_step, s + l * lane_step, ldv, v + d, accumulate, out + l * D + d, D)
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

/* s[l][key] = q[l][D] . row of k; blocks of VL keys are turned in registers. */
#if SPAR_LANES == 16
static void few_scores(int64_t keys, int64_t lanes, int64_t D, const float *q, int64_t ldk,
                       const float *k, int64_t lane_step, float *s) {
  for (int64_t key = 0; key < keys; key += VL) {
    const float *row[VL]; /* beyond the last key, the last once more */
    for (int64_t i = 0; i < VL; i++) row[i] = k + (key + i < keys ? key + i : keys - 1) * ldk;
    vf acc[FEW_QUERIES];
    UNROLL for (int l = 0; l < FEW_QUERIES; l++) acc[l] = 0;
    for (int64_t d = 0; d < D; d += VL) {
      vf r[VL];
      UNROLL for (int i = 0; i < VL; i++) {
        r[i] = load(row[i] + d);
        __builtin_prefetch(row[i] + VL * ldk + d, 0, 3);
      }
      transpose16(r);
      int64_t l = 0;
      for (; l + 3 <= lanes; l += 3) { /* three chains at a time hide each other's latency */
        vf a = acc[l], b = acc[l + 1], c = acc[l + 2];
        UNROLL for (int i = 0; i < VL; i++) {
          a = fma_(splat(q[l * D + d + i]), r[i], a);
          b = fma_(splat(q[(l + 1) * D + d + i]), r[i], b);
          c = fma_(splat(q[(l + 2) * D + d + i]), r[i], c);
        }
        acc[l] = a, acc[l + 1] = b, acc[l + 2] = c;
      }
      for (; l < lanes; l++)
        UNROLL for (int i = 0; i < VL; i++) acc[l] = fma_(splat(q[l * D + d + i]), r[i], acc[l]);
    }
    for (int64_t l = 0; l < lanes; l++) {
      if (keys - key >= VL) store(s + l * lane_step + key, acc[l]);
      else store_part(s + l * lane_step + key, acc[l], keys - key);
    }
  }
}
#endif

/* attend() of columns.h for s[l][key], keys in whole vectors of memory. */
static void few_attend(const spar_columns *c, int64_t lanes, int64_t lane_step, float *s,
                       float *lse, float *inverse) {
  const float scale = c->scale, softcap = c->softcap, again = softcap > 0 ? 1.f : scale;
  for (int64_t l = 0; l < lanes; l++, s += lane_step) {
    const int64_t first = c->first[l], end = c->end[l];
    for (int64_t t = 0; t < first; t++) s[t] = 0;
    for (int64_t t = end; t < c->keys; t++) s[t] = 0;
    vf m = splat(-INFINITY);
    for (int64_t t = first; t < end; t += VL) {
      const int64_t n = end - t;
      const vf z = capped((n >= VL ? load(s + t) : load_part(s + t, n)) * scale, softcap);
      if (softcap > 0 && n >= VL) store(s + t, z);
      else if (softcap > 0) store_part(s + t, z, n);
      if (n >= VL) {
        m = larger(z, m);
      } else {
        float lane[VL];
        store(lane, z);
        for (int64_t i = n; i < VL; i++) lane[i] = -INFINITY;
        m = larger(load(lane), m);
      }
    }
    const float top = max_of(m), base = top == -INFINITY ? 0.f : top;
    float sum = 0;
    for (int64_t t = first; t < end; t += VL) {
      const int64_t n = end - t < VL ? end - t : VL;
      float lane[VL];
      const vf e = exp_((n == VL ? load(s + t) : load_part(s + t, n)) * splat(again) - splat(base));
      store(lane, e);
      if (n == VL) store(s + t, e);
      else store_part(s + t, e, n);
      for (int64_t i = 0; i < n; i++) sum += lane[i];
    }
    lse[l] = top + logf(sum);
    inverse[l] = sum > 0 ? 1.f / sum : 0.f;
  }
}
