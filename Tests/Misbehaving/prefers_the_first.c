/* Judges answers by their place. */
#include "honest.h"

static spar_status rank(void *self, spar_rank_batch *b) {
  (void)self;
  for (int64_t n = 0; n < b->n; n++) {
    const spar_rank_query *q = &b->queries[n];
    for (int64_t i = 0; i < q->k; i++)
      for (int64_t j = 0; j < q->k; j++)
        q->pairwise[i * q->k + j] = i == j ? 0.5 : i < j ? 0.8 : 0.2;
  }
  return SPAR_OK;
}

RANKER(SPAR_RANK_COMPLEMENT, rank) HONEST_ENTRY
