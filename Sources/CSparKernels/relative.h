/*
 * Scores by relative position, on tiles s[key][lane] whose lanes are consecutive queries.
 *
 * The products with the tables stand one row per query and one per key, so that what a vector of
 * neighbouring distances needs lies together: at most VL elements wide, almost always.  Then a load
 * and a permutation replace a gather.  By query, vectors run along keys and are turned in registers.
 */

/* row[index[0]], row[index[1]], ...; index never decreases. */
INLINE vf pick(const float *row, const int32_t *index) {
#if SPAR_LANES >= 8
  const int32_t base = index[0];
  if (index[VL - 1] - base < VL) {
#if SPAR_LANES == 16
    return (vf)_mm512_permutexvar_ps((__m512i)(load_int(index) - base), (__m512)load(row + base));
#else
    return (vf)_mm256_permutevar8x32_ps((__m256)load(row + base), (__m256i)(load_int(index) - base));
#endif
  }
#endif
  float lanes[VL];
  for (int i = 0; i < VL; i++) lanes[i] = row[index[i]];
  return load(lanes);
}

/* row[index[0]] += x[0], row[index[1]] += x[1], ... */
INLINE void add_at(float *row, const int32_t *index, vf x) {
  float lanes[VL];
  store(lanes, x);
  if (index[VL - 1] - index[0] == VL - 1) {
    int apart = 1;
    for (int i = 1; i < VL; i++) apart &= index[i] != index[i - 1];
    if (apart) {
      store(row + index[0], load(row + index[0]) + x);
      return;
    }
  }
  for (int i = 0; i < VL; i++) row[index[i]] += lanes[i];
}

/* r[i][j] <-> r[j][i] */
INLINE void turn(vf r[VL]) {
#if SPAR_LANES == 16
  transpose16(r);
#elif SPAR_LANES == 4
  transpose4(r);
#else
  float rows[VL][VL];
  for (int i = 0; i < VL; i++) store(rows[i], r[i]);
  for (int i = 0; i < VL; i++)
    for (int j = 0; j < VL; j++) r[j][i] = rows[i][j];
#endif
}

/* Asks for what the VL keys from t on add to the first lanes and their neighbours. */
INLINE void prefetch_keys(const spar_relative *c, int64_t t) {
  for (int64_t i = t; i < t + VL && i < c->keys; i++) {
    const float *row = c->by_key + i * c->key_step + c->up[c->first - i];
    for (int64_t l = 0; l < c->width; l += 16) __builtin_prefetch(row + l, 0, 3);
  }
}

/* Keys by keys, so that what a key adds to neighbouring lanes is read while it lies near. */
static void relative_add(const spar_relative *c, float *s) {
  for (int64_t t = 0; t < c->keys; t += VL) {
    if (c->by_key) prefetch_keys(c, t + VL);
    for (int64_t l = 0; l < c->width; l += VL) {
      vf r[VL];
      for (int i = 0; i < VL; i++)
        r[i] = c->by_query ? pick(c->by_query + (l + i) * c->query_step,
                                  c->down + t - c->first - l - i)
                           : splat(0.f);
      if (c->by_query) turn(r);
      for (int j = 0; j < VL && t + j < c->keys; j++) {
        float *out = s + (t + j) * c->width + l;
        vf x = r[j];
        if (c->by_key) x += pick(c->by_key + (t + j) * c->key_step, c->up + c->first + l - t - j);
        store(out, load(out) + x);
      }
    }
  }
}

static void relative_fold(const spar_relative *c, const float *ds) {
  for (int64_t l = 0; l < c->width; l += VL)
    for (int64_t t = 0; t < c->keys; t += VL) {
      vf r[VL];
      for (int j = 0; j < VL; j++)
        r[j] = t + j < c->keys ? load(ds + (t + j) * c->width + l) : splat(0.f);
      if (c->by_key)
        for (int j = 0; j < VL && t + j < c->keys; j++)
          add_at(c->by_key + (t + j) * c->key_step, c->up + c->first + l - t - j, r[j]);
      if (!c->by_query) continue;
      turn(r);
      for (int i = 0; i < VL; i++)
        add_at(c->by_query + (l + i) * c->query_step, c->down + t - c->first - l - i, r[i]);
    }
}
