/* Follows a pointer to nowhere. */
#include "honest.h"

static spar_status evaluate(void *self, spar_objective_batch *b) {
  (void)self;
  return *(volatile int *)(intptr_t)(b->n > 0 ? 8 : 16);
}

OBJECTIVE(honest_create, honest_destroy, evaluate) HONEST_ENTRY
