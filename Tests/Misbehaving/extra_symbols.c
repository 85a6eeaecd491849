/* Exports names that may clash with those of other plugins. */
#include "honest.h"

SPAR_EXPORT int helper(int x) { return x + 1; }

OBJECTIVE(honest_create, honest_destroy, honest_evaluate) HONEST_ENTRY
