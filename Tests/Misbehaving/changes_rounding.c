/* Leaves another rounding mode behind, which changes everybody's results. */
#include <fenv.h>

#include "honest.h"

static spar_status evaluate(void *self, spar_objective_batch *b) {
  fesetround(FE_UPWARD);
  return honest_evaluate(self, b);
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
