/* Reads a struct that may be shorter than its own as a whole. */
#include "honest.h"

static spar_status create(const spar_host *h, const spar_create_info *info, void **self) {
  const spar_create_info copy = *(const volatile spar_create_info *)info;
  if (copy.cache_dir) h->log(h, SPAR_LOG_DEBUG, copy.cache_dir);
  return honest_create(h, info, self);
}

OBJECTIVE(create, honest_destroy, honest_evaluate) HONEST_ENTRY
