#ifndef SPAR_COPENBLAS_SHIM_H
#define SPAR_COPENBLAS_SHIM_H
#include <cblas.h>
#endif
