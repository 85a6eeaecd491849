/* AVX-512: 16 lanes, 32 registers. */
#include "spar_kernels.h"
#include "spar_plugin.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define SPAR_LANES 16
#define SPAR_FMA 1
#define SPAR_NAME "avx512"
#define SPAR_TABLE spar_kernels_avx512

#define SPAR_TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c")))

#pragma clang attribute push(SPAR_TARGET, apply_to = function)
#include "table.h"
#pragma clang attribute pop
#endif
