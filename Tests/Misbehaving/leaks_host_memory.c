/* Forgets what it got from the host. */
#include "honest.h"

static void destroy(void *self) { (void)self; }

OBJECTIVE(honest_create, destroy, honest_evaluate) HONEST_ENTRY
