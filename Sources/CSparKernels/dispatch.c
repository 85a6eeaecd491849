/* Which set of kernels this processor runs. */
#include "spar_kernels.h"

#include <stddef.h>
#include <string.h>

extern const spar_kernels spar_kernels_portable;
#if defined(__x86_64__)
extern const spar_kernels spar_kernels_avx2, spar_kernels_avx512;
#endif

const spar_kernels *spar_kernels_for(const char *name) {
#if defined(__x86_64__)
  const int any = !name || strcmp(name, "auto") == 0;
  __builtin_cpu_init();
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                   __builtin_cpu_supports("f16c");
  const int avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512bw");
  if (avx512 && (any || strcmp(name, "avx512") == 0)) return &spar_kernels_avx512;
  if (avx2 && (any || strcmp(name, "portable") != 0)) return &spar_kernels_avx2;
#else
  (void)name;
#endif
  return &spar_kernels_portable;
}
