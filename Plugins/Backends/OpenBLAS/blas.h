/*
 * OpenBLAS, loaded when an instance first wants it: its thread pool starts as soon as the library
 * is loaded, and listing plugins must start nothing.
 */
#ifndef SPAR_OPENBLAS_BLAS_H
#define SPAR_OPENBLAS_BLAS_H

#include "spar_operations.h"

/* Loads OpenBLAS, sets it to one thread, and returns its sgemm; NULL where there is none. */
blas_sgemm load_openblas(void);

#endif
