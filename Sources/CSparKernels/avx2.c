/* AVX2 with FMA and F16C: 8 lanes, 16 registers. */
#include "spar_kernels.h"
#include "spar_plugin.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define SPAR_LANES 8
#define SPAR_FMA 1
#define SPAR_NAME "avx2"
#define SPAR_TABLE spar_kernels_avx2

#define SPAR_TARGET __attribute__((target("avx2,fma,f16c")))

#pragma clang attribute push(SPAR_TARGET, apply_to = function)
#include "table.h"
#pragma clang attribute pop
#endif
