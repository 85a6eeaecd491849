#ifndef SPAR_CZLIB_SHIM_H
#define SPAR_CZLIB_SHIM_H
#include <zlib.h>
#endif
