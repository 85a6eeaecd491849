/* Refuses a call for the values in it, so that no host can know what it does. */
#include "honest.h"

static spar_status embed(void *self, const spar_embed_args *a) {
  (void)self;
  const float first = ((const float *)a->table->data)[0];
  if (first < 0.25f || first > 0.75f) return SPAR_UNSUPPORTED;
  for (int64_t t = 0; t < a->y->shape[0]; t++)
    memcpy((float *)a->y->data + t * a->y->stride[0],
           (const float *)a->table->data + a->ids[t] * a->table->stride[0],
           (size_t)a->y->shape[1] * sizeof(float));
  return SPAR_OK;
}

BACKEND(0, .embed = embed) HONEST_ENTRY
