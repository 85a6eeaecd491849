/* Returns memory as something else than it was given. */
#include "honest.h"

static void destroy(void *self) {
  const spar_host *h = ((instance *)self)->host;
  h->free(h, self, 1, 64);
}

OBJECTIVE(honest_create, destroy, honest_evaluate) HONEST_ENTRY
