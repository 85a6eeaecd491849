#ifndef SPAR_CZSTD_SHIM_H
#define SPAR_CZSTD_SHIM_H
#include <zstd.h>
#endif
