/* Prefers the answer on the left and claims that order does not matter. */
#include "honest.h"

static spar_status rank(void *self, spar_rank_batch *b) {
  (void)self;
  for (int64_t i = 0; i < b->n; i++) rank_by_length(&b->queries[i], 0.4);
  return SPAR_OK;
}

RANKER(SPAR_RANK_COMPLEMENT, rank) HONEST_ENTRY
