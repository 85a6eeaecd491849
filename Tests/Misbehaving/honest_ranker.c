/* Nothing is wrong with this one: the check must find nothing. */
#include "honest.h"

static spar_status rank(void *self, spar_rank_batch *raw) {
  (void)self;
  spar_rank_batch b;
  spar_adopt(&b, sizeof b, raw);
  for (int64_t i = 0; i < b.n; i++) rank_by_length(&b.queries[i], 0);
  return SPAR_OK;
}

RANKER(SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR | SPAR_RANK_REENTRANT, rank) HONEST_ENTRY
