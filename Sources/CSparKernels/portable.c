/* Any processor: 4 lanes, the baseline of the compiler. */
#include "spar_kernels.h"
#include "spar_plugin.h"

#define SPAR_LANES 4
#if defined(__aarch64__)
#define SPAR_FMA 1
#else
#define SPAR_FMA 0 /* without the instruction an FMA is a library call */
#endif
#define SPAR_NAME "portable"
#define SPAR_TABLE spar_kernels_portable

#include "table.h"
