/* Multiplies what C held by 0, which is NaN when C held NaN. */
#include "honest.h"

static spar_status gemm(void *self, const spar_gemm_args *a) {
  (void)self;
  const int ta = !!(a->flags & SPAR_TRANS_A), tb = !!(a->flags & SPAR_TRANS_B);
  if (a->c->rank != 2 || a->c->dtype != SPAR_F32) return SPAR_UNSUPPORTED;
  const float *x = a->a->data, *w = a->b->data, *bias = a->bias ? a->bias->data : NULL;
  const int64_t k = a->a->shape[ta ? 0 : 1], lda = a->a->stride[0], ldb = a->b->stride[0];
  for (int64_t i = 0; i < a->c->shape[0]; i++)
    for (int64_t j = 0; j < a->c->shape[1]; j++) {
      float *c = (float *)a->c->data + i * a->c->stride[0] + j;
      double sum = 0;
      for (int64_t l = 0; l < k; l++)
        sum += (double)x[ta ? l * lda + i : i * lda + l] * (double)w[tb ? j * ldb + l : l * ldb + j];
      *c = (float)(a->alpha * sum + a->beta * (double)*c + (bias ? (double)bias[j] : 0));
    }
  return SPAR_OK;
}

BACKEND(0, .gemm = gemm) HONEST_ENTRY
