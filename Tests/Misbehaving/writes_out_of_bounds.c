/* Fills one element too many. */
#include "honest.h"

static spar_status fill(void *self, spar_tensor *y, double value) {
  (void)self;
  for (int64_t i = 0; i < y->shape[0]; i++)
    for (int64_t j = 0; j <= y->shape[1]; j++)
      ((float *)y->data)[i * y->stride[0] + j] = (float)value;
  return SPAR_OK;
}

BACKEND(0, .fill = fill) HONEST_ENTRY
