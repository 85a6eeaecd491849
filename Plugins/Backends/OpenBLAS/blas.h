/*
 * OpenBLAS, loaded when an instance first wants it: its thread pool starts as soon as the library is
 * loaded, and listing plugins must start nothing.
 */
#ifndef SPAR_OPENBLAS_BLAS_H
#define SPAR_OPENBLAS_BLAS_H

enum { BLAS_ROW_MAJOR = 101, BLAS_PLAIN = 111, BLAS_TRANSPOSED = 112 };

/* cblas_sgemm, with the numbers of CBLAS's enums as ints. */
typedef void (*blas_sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                           const float *a, int lda, const float *b, int ldb, float beta, float *c,
                           int ldc);

/* Loads OpenBLAS, sets it to one thread, and returns its sgemm; NULL where there is none. */
blas_sgemm load_openblas(void);

#endif
