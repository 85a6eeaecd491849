/* Does its work before anybody asks, so that listing plugins takes long. */
#include <time.h>

#include "honest.h"

OBJECTIVE(honest_create, honest_destroy, honest_evaluate) {
  const clock_t start = clock();
  while (clock() - start < CLOCKS_PER_SEC / 4) continue;
  return &plugin;
}
