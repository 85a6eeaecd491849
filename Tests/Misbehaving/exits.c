/* Ends the program on what it takes for an error. */
#include "honest.h"

static spar_status evaluate(void *self, spar_objective_batch *b) {
  (void)self;
  if (b->n > 0) exit(0);
  return SPAR_OK;
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
