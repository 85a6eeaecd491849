/* A sigmoid by the book, which overflows for far values. */
#include "honest.h"

static spar_status evaluate(void *self, spar_objective_batch *b) {
  (void)self;
  for (int64_t i = 0; i < b->n; i++) {
    const double e = exp(b->logp[i] - b->ref_logp[i]);
    b->loss[i] = log(1 + e);
    b->dlogp[i] = e / (1 + e);
  }
  return SPAR_OK;
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
