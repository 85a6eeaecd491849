/* Nothing is wrong with this one: the check must find nothing. */
#include "honest.h"

OBJECTIVE(honest_create, honest_destroy, honest_evaluate) HONEST_ENTRY
