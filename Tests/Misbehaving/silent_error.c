/* Fails without saying why. */
#include "honest.h"

static spar_status evaluate(void *self, spar_objective_batch *b) {
  (void)self, (void)b;
  return SPAR_E_INVALID;
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
