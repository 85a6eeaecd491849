/* Takes a newer host for a broken one. */
#include "honest.h"

static spar_status create(const spar_host *h, const spar_create_info *info, void **self) {
  if (info->struct_size != sizeof *info) {
    h->set_error(h, "struct_size of create_info differs");
    return SPAR_E_INVALID;
  }
  return honest_create(h, info, self);
}

OBJECTIVE(create, honest_destroy, honest_evaluate) HONEST_ENTRY
