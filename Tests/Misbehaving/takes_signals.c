/* Puts its own handler in the place of the program's. */
#include <signal.h>

#include "honest.h"

static spar_status create(const spar_host *h, const spar_create_info *info, void **self) {
  signal(SIGINT, SIG_IGN);
  return honest_create(h, info, self);
}

OBJECTIVE(create, honest_destroy, honest_evaluate) HONEST_ENTRY
