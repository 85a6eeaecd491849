/* Compiled against a later header and careless: reads a member that this host does not have. */
#include "honest.h"

typedef struct later_host { spar_host known; void *volatile later; } later_host;

static spar_status create(const spar_host *h, const spar_create_info *info, void **self) {
  if (((const later_host *)(const void *)h)->later) h->log(h, SPAR_LOG_DEBUG, "a later host");
  return honest_create(h, info, self);
}

OBJECTIVE(create, honest_destroy, honest_evaluate) HONEST_ENTRY
