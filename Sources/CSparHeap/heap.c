#include "spar_heap.h"

#include <malloc.h>

int64_t spar_heap_bytes(void) {
  const struct mallinfo2 info = mallinfo2();
  return (int64_t)(info.uordblks + info.hblkhd);
}
