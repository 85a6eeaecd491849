/* Compares lengths and claims scores that have nothing to do with them. */
#include "honest.h"

static spar_status rank(void *self, spar_rank_batch *b) {
  (void)self;
  for (int64_t i = 0; i < b->n; i++) {
    const spar_rank_query *q = &b->queries[i];
    rank_by_length(q, 0);
    for (int64_t j = 0; j < q->k; j++) q->score[j] = (double)(q->responses[j].n % 7);
  }
  return SPAR_OK;
}

RANKER(SPAR_RANK_SCALAR, rank) HONEST_ENTRY
