/* What the C library's heap holds: Swift's Glibc module has no mallinfo2. */
#ifndef SPAR_HEAP_H
#define SPAR_HEAP_H

#include <stdint.h>

/* Bytes in use that malloc gave out, large blocks included. */
int64_t spar_heap_bytes(void);

#endif
