/* Cuts a sum into as many parts as there are threads and claims that bits do not depend on it. */
#include "honest.h"

static spar_status reduce(void *self, const spar_reduce_args *a) {
  const spar_host *h = ((instance *)self)->host;
  if (a->kind != SPAR_SUM_ALL || a->x->rank != 2) return SPAR_UNSUPPORTED;
  const int64_t rows = a->x->shape[0], parts = h->thread_count(h);
  float total = 0;
  for (int64_t part = 0; part < parts; part++) {
    float sum = 0;
    for (int64_t i = part * rows / parts; i < (part + 1) * rows / parts; i++)
      for (int64_t j = 0; j < a->x->shape[1]; j++)
        sum += ((const float *)a->x->data)[i * a->x->stride[0] + j];
    total += sum;
  }
  *(float *)a->y->data = total;
  return SPAR_OK;
}

BACKEND(SPAR_BE_DETERMINISTIC, .reduce = reduce) HONEST_ENTRY
