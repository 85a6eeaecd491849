/*
 * spar_operations.h - the operations of a CPU backend in float32, on the kernels of spar_kernels.h
 * and a team of threads.  Backend plugins put their own doors before it.
 *
 * What an operation computes depends on its arguments, not on the team: slices have fixed sizes and
 * are joined in order.  Every operation is [serial] on an instance: scratch belongs to the one that
 * runs.
 */
#ifndef SPAR_OPERATIONS_H
#define SPAR_OPERATIONS_H

#include "spar_int8.h"
#include "spar_kernels.h"
#include "spar_plugin.h"
#include "spar_threads.h"

enum { BLAS_ROW_MAJOR = 101, BLAS_PLAIN = 111, BLAS_TRANSPOSED = 112 };

/* cblas_sgemm, with the numbers of CBLAS's enums as ints. */
typedef void (*blas_sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                           const float *a, int lda, const float *b, int ldb, float beta, float *c,
                           int ldc);

/* Scratch that all workers see; an operation uses each slot for one purpose. */
enum { SLOT_A, SLOT_B, SLOT_C, SLOT_D, SLOT_COUNT };

typedef struct memory {
  void *p;
  uint64_t bytes;
} memory;

typedef struct spar_cpu {
  const spar_host *host;
  const char *name; /* stands before error texts */
  const spar_kernels *kernels;
  spar_team *team;
  int32_t threads;
  blas_sgemm sgemm; /* products by BLAS on fixed slices; NULL: own kernels */
  const spar_int8_kernels *int8; /* y = x W^T in 8 bits; NULL: exact */
  memory shared[SLOT_COUNT];
  memory *local; /* [threads] */
} spar_cpu;

/* An instance on `team`, which stays the caller's; NULL team: the calling thread alone.
 * SPAR_E_NOMEM (and the error set) without memory.  release() frees the scratch. */
spar_status spar_cpu_init(spar_cpu *self, const spar_host *h, const char *name,
                          const spar_kernels *kernels, spar_team *team, blas_sgemm sgemm);
void spar_cpu_release(spar_cpu *self);

/* `self` is a spar_cpu. */
#define OPERATION(NAME, ARGS) spar_status NAME(void *self, const ARGS *raw)
OPERATION(spar_cpu_gemm, spar_gemm_args);
OPERATION(spar_cpu_attention, spar_attention_args);
OPERATION(spar_cpu_attention_bwd, spar_attention_args);
OPERATION(spar_cpu_rel_attention, spar_rel_attention_args);
OPERATION(spar_cpu_rel_attention_bwd, spar_rel_attention_args);
OPERATION(spar_cpu_norm, spar_norm_args);
OPERATION(spar_cpu_norm_bwd, spar_norm_args);
OPERATION(spar_cpu_rope, spar_rope_args);
OPERATION(spar_cpu_softmax, spar_softmax_args);
OPERATION(spar_cpu_softmax_bwd, spar_softmax_args);
OPERATION(spar_cpu_activation, spar_activation_args);
OPERATION(spar_cpu_activation_bwd, spar_activation_args);
OPERATION(spar_cpu_embed, spar_embed_args);
OPERATION(spar_cpu_embed_bwd, spar_embed_args);
OPERATION(spar_cpu_logp, spar_logp_args);
OPERATION(spar_cpu_logp_bwd, spar_logp_args);
OPERATION(spar_cpu_binary, spar_binary_args);
OPERATION(spar_cpu_reduce, spar_reduce_args);
OPERATION(spar_cpu_copy, spar_copy_args);
spar_status spar_cpu_fill(void *self, spar_tensor *y, double value);
OPERATION(spar_cpu_linear_logp, spar_linear_logp_args);
OPERATION(spar_cpu_linear_logp_bwd, spar_linear_logp_args);
OPERATION(spar_cpu_optimizer, spar_optimizer_args);

#undef OPERATION

#endif
