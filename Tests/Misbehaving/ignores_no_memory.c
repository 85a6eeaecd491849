/* Takes it for granted that memory is there. */
#include "honest.h"

static spar_status create(const spar_host *h, const spar_create_info *info, void **self) {
  (void)info;
  instance *me = h->alloc(h, sizeof *me, 64);
  me->host = h;
  *self = me;
  return SPAR_OK;
}

OBJECTIVE(create, honest_destroy, honest_evaluate) HONEST_ENTRY
