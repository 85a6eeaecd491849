/* Gives odds where probabilities are asked for. */
#include "honest.h"

static spar_status rank(void *self, spar_rank_batch *b) {
  (void)self;
  for (int64_t n = 0; n < b->n; n++) {
    const spar_rank_query *q = &b->queries[n];
    for (int64_t i = 0; i < q->k * q->k; i++) q->pairwise[i] = i % (q->k + 1) ? 1.5 : 0.5;
  }
  return SPAR_OK;
}

RANKER(0, rank) HONEST_ENTRY
