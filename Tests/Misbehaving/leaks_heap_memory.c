/* Forgets what it got from malloc. */
#include "honest.h"

static void *volatile lost;

static spar_status evaluate(void *self, spar_objective_batch *b) {
  lost = malloc(100);
  return honest_evaluate(self, b);
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
