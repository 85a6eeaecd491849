/* Tables' rows by distance, in both directions. */
#include "spar_kernels.h"

void spar_relative_rows(const int32_t *bucket, int64_t reach, int64_t most, int32_t *up,
                        int32_t *down) {
  for (int64_t d = -most; d <= most; d++) {
    const int64_t near = d < -reach ? -reach : d > reach ? reach : d;
    up[d] = bucket[reach + near];
    down[-d] = -up[d];
  }
}
