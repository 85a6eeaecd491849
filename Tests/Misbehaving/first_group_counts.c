/* Weighs a group by where it stands in the batch. */
#include "honest.h"

static spar_status evaluate(void *self, spar_objective_batch *b) {
  const spar_status status = honest_evaluate(self, b);
  for (int64_t g = 0; g < b->n_groups; g++)
    for (int64_t i = b->begin[g]; i < b->begin[g + 1]; i++)
      b->loss[i] /= (double)(g + 1), b->dlogp[i] /= (double)(g + 1);
  return status;
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
