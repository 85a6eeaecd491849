/* Moves the whole program to another folder. */
#include <unistd.h>

#include "honest.h"

static spar_status create(const spar_host *h, const spar_create_info *info, void **self) {
  if (chdir("/") != 0) return SPAR_E_IO;
  return honest_create(h, info, self);
}

OBJECTIVE(create, honest_destroy, honest_evaluate) HONEST_ENTRY
