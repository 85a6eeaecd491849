/* The entry's name says generation 1, its table says 2. */
#include "honest.h"

OBJECTIVE(honest_create, honest_destroy, honest_evaluate) {
  static spar_plugin other;
  other = plugin;
  other.generation = 2;
  return &other;
}
