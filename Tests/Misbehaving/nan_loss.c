/* Divides by what may be zero. */
#include "honest.h"

static spar_status evaluate(void *self, spar_objective_batch *b) {
  const spar_status status = honest_evaluate(self, b);
  for (int64_t i = 0; i < b->n; i++) b->loss[i] = (b->loss[i] * 0) / (b->loss[i] * 0);
  return status;
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
