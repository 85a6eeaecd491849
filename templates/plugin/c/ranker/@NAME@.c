/*
 * @NAME@: a ranker for Spar.
 *
 * It prefers the answer whose length is nearer to a wished number of words:
 *
 *     score(y)  = -|words(y) - target|
 *     raw(i, j) = (score(i) - score(j)) / scale        P(i beats j) = 1 / (1 + e^-raw)
 *
 * A word is a run of bytes without ASCII white space.  Replace `score` with what you judge by.
 */
#include <math.h>
#include <stdlib.h>
#include "spar_plugin.h"

typedef struct { double target, scale; } ranker;

enum { TARGET, SCALE, PARAMS };
static const spar_param params[PARAMS] = {
    [TARGET] = {.struct_size = sizeof(spar_param), .name = "target", .type = SPAR_T_INT,
                .doc = "the wished length", .unit = "words", .default_text = "50", .min = 0,
                .max = 1e6, .flags = SPAR_P_RANGE},
    [SCALE] = {.struct_size = sizeof(spar_param), .name = "scale", .type = SPAR_T_FLOAT,
               .doc = "difference in distance that makes log-odds of 1", .unit = "words",
               .default_text = "10", .min = 1e-3, .max = 1e6, .flags = SPAR_P_RANGE}};

static spar_status create(const spar_host *host, const spar_create_info *info, void **self) {
  spar_create_info i;
  spar_adopt(&i, sizeof i, info); /* structs may grow: copied, never read in place */
  if (!i.values || i.n_values < PARAMS || !(i.values[SCALE].f > 0)) {
    host->set_error(host, "@NAME@: target and scale are needed, and scale must be positive");
    return SPAR_E_INVALID;
  }
  ranker *me = malloc(sizeof *me);
  if (!me) {
    host->set_error(host, "@NAME@: out of memory");
    return SPAR_E_NOMEM;
  }
  me->target = (double)i.values[TARGET].i;
  me->scale = i.values[SCALE].f;
  *self = me;
  return SPAR_OK;
}

/* Texts carry their length: they may hold any bytes and do not end with NUL. */
static int64_t words(spar_text text) {
  int64_t count = 0;
  int inside = 0;
  for (uint64_t i = 0; i < text.n; i++) {
    const char c = text.p[i];
    const int space = c == ' ' || (c >= '\t' && c <= '\r');
    count += !space && !inside;
    inside = !space;
  }
  return count;
}

/* Higher is better.  The conversation is q->messages[0 .. q->n_messages). */
static double score(const ranker *me, const spar_rank_query *q, int64_t answer) {
  return -fabs((double)words(q->responses[answer]) - me->target);
}

static double logistic(double x) {
  return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static spar_status rank(void *self, spar_rank_batch *batch) {
  const ranker *me = self;
  spar_rank_batch b;
  spar_adopt(&b, sizeof b, batch);
  for (int64_t n = 0; n < b.n; n++) {
    spar_rank_query *q = &b.queries[n];
    /* The diagonal holds the scores until the other cells are filled. */
    for (int64_t i = 0; i < q->k; i++) q->raw[i * q->k + i] = score(me, q, i);
    for (int64_t i = 0; i < q->k; i++)
      for (int64_t j = 0; j < q->k; j++)
        if (i != j) {
          const double raw = (q->raw[i * q->k + i] - q->raw[j * q->k + j]) / me->scale;
          q->raw[i * q->k + j] = raw;
          q->pairwise[i * q->k + j] = logistic(raw);
        }
    for (int64_t i = 0; i < q->k; i++) {
      if (q->score) q->score[i] = q->raw[i * q->k + i];
      q->raw[i * q->k + i] = 0;
      q->pairwise[i * q->k + i] = 0.5;
    }
  }
  return SPAR_OK;
}

/* Claims, which `spar plugin check` tests: raw is what is computed; P(i,j) + P(j,i) = 1; P is a
 * function of score differences; rank() keeps no state, so calls may overlap. */
static const spar_ranker_api api = {
    .struct_size = sizeof api, .rank = rank,
    .flags = SPAR_RANK_NATIVE_RAW | SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR |
             SPAR_RANK_REENTRANT};
static const spar_component components[] = {{
    .struct_size = sizeof(spar_component), .kind = SPAR_KIND_RANKER, .id = "@NAME@",
    .name = "@NAME@", .doc = "prefers answers near a wished number of words", .params = params,
    .n_params = PARAMS, .create = create, .destroy = free, .api = &api}};
static const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION,
    .revision = SPAR_ABI_REVISION, .id = "plugin.@NAME@", .name = "@NAME@", .version = "0.1.0",
    .vendor = "@AUTHOR@", .license = "@LICENSE@", .components = components, .n_components = 1};

const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
