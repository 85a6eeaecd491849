/*
 * What an honest plugin consists of.  Each file beside this one takes it and spoils one thing;
 * `spar plugin check` must name that thing.
 */
#ifndef HONEST_H
#define HONEST_H

#include <math.h>
#include <stdlib.h>

#include "spar_plugin.h"

typedef struct instance { const spar_host *host; } instance;

static inline spar_status honest_create(const spar_host *h, const spar_create_info *info,
                                        void **self) {
  (void)info;
  instance *me = h->alloc(h, sizeof *me, 64);
  if (!me) {
    h->set_error(h, "no memory for the instance");
    return SPAR_E_NOMEM;
  }
  me->host = h;
  *self = me;
  return SPAR_OK;
}

static inline void honest_destroy(void *self) {
  instance *me = self;
  me->host->free(me->host, me, sizeof *me, 64);
}

/* Half the square of every log-ratio. */
static inline spar_status honest_evaluate(void *self, spar_objective_batch *raw) {
  (void)self;
  spar_objective_batch b;
  spar_adopt(&b, sizeof b, raw);
  for (int64_t i = 0; i < b.n; i++) {
    const double r = b.logp[i] - b.ref_logp[i];
    b.loss[i] = r * r / 2;
    b.dlogp[i] = r;
  }
  return SPAR_OK;
}

/* Prefers the longer answer; `bias` is added for whoever stands on the left. */
static inline void rank_by_length(const spar_rank_query *q, double bias) {
  for (int64_t i = 0; i < q->k; i++) {
    q->score[i] = (double)q->responses[i].n / 100;
    for (int64_t j = 0; j < q->k; j++) {
      const double d = ((double)q->responses[i].n - (double)q->responses[j].n) / 100;
      q->pairwise[i * q->k + j] = i == j ? 0.5 : 1 / (1 + exp(-d - bias));
    }
  }
}

#define PLUGIN(KIND, API, CREATE, DESTROY)                                                   \
  static const spar_component components[] = {{                                              \
    .struct_size = sizeof(spar_component), .kind = KIND, .id = "fixture", .name = "fixture", \
    .doc = "A plugin that tests check.", .create = CREATE, .destroy = DESTROY, .api = &API}};  \
  static const spar_plugin plugin = {                                                        \
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION, .id = "test.fixture",   \
    .name = "fixture", .version = "1", .license = "Apache-2.0", .components = components,    \
    .n_components = 1};                                                                      \
  SPAR_EXPORT const spar_plugin *spar_plugin_entry_v1(void)

#define OBJECTIVE(CREATE, DESTROY, EVALUATE)                                                 \
  static const spar_objective_api api = {                                                    \
    .struct_size = sizeof api, .needs = SPAR_OBJ_REFERENCE, .evaluate = EVALUATE};           \
  PLUGIN(SPAR_KIND_OBJECTIVE, api, CREATE, DESTROY)

#define RANKER(FLAGS, RANK)                                                                  \
  static const spar_ranker_api api = {                                                       \
    .struct_size = sizeof api, .flags = FLAGS, .rank = RANK};                                \
  PLUGIN(SPAR_KIND_RANKER, api, honest_create, honest_destroy)

#define BACKEND(FLAGS, OPERATION)                                                            \
  static const spar_backend_api api = {                                                      \
    .struct_size = sizeof api, .flags = FLAGS, OPERATION};                                   \
  PLUGIN(SPAR_KIND_BACKEND, api, honest_create, honest_destroy)

#define HONEST_ENTRY \
  { return &plugin; }

#endif
