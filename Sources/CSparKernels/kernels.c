#include "spar_kernels.h"
