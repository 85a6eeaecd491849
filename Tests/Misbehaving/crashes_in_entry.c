/* Dies before anybody knows what it offers. */
#include "honest.h"

OBJECTIVE(honest_create, honest_destroy, honest_evaluate) {
  abort();
  return &plugin;
}
