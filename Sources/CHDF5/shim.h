#ifndef SPAR_CHDF5_SHIM_H
#define SPAR_CHDF5_SHIM_H
#include <hdf5.h>
#endif
