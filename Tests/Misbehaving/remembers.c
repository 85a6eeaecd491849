/* Lets one batch change the next. */
#include "honest.h"

static double seen;

static spar_status evaluate(void *self, spar_objective_batch *b) {
  const spar_status status = honest_evaluate(self, b);
  seen = 0.9 * seen + 0.1;
  for (int64_t i = 0; i < b->n; i++) b->loss[i] += seen;
  return status;
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
