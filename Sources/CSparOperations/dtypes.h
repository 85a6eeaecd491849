/* Conversions between element types, and from ggml's blocks of 32. */
#ifndef SPAR_OPERATIONS_DTYPES_H
#define SPAR_OPERATIONS_DTYPES_H

#include <stdint.h>

int can_convert(int32_t from, int32_t to);
/* n elements; equal types are moved as they are. */
void convert_run(int64_t n, int32_t from, const void *x, int32_t to, void *y);

#endif
