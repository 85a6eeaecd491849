/*
 * kernels check|bench|encoder LIBRARY [cpu]: the openblas plugin against plain loops, and its speed.
 *
 *   swift build -c release --product spar-openblas
 *   cc -O2 -std=gnu11 -ISources/CSparPlugin/include $(pkg-config --cflags openblas) \
 *     Tests/Benchmarks/kernels/[bchm]*.c -o kernels -lopenblas -ldl -lm
 *   ./kernels bench .build/release/libspar-openblas.so
 *
 * `cpu` measures processor time of one thread, for machines that others use as well.
 */
#include "harness.h"

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: kernels check|bench|encoder libspar-openblas.so [cpu]\n");
    return 2;
  }
  load_plugin(argv[2]);
  start_over();
  by_cpu_time = argc > 3 && strcmp(argv[3], "cpu") == 0;
  if (strcmp(argv[1], "encoder") == 0) {
    bench_encoder(by_cpu_time ? 1 : 2);
    return failures != 0;
  }
  if (strcmp(argv[1], "bench") == 0) {
    void *self = create_backend(by_cpu_time, 0, 0);
    bench(self, by_cpu_time ? 1 : 2);
    destroy_backend(self);
    return 0;
  }
  for (int64_t kernels = 0; kernels < 4; kernels++) {
    uint64_t first = 0;
    for (int64_t threads = 1; threads <= 3; threads++) {
      start_over();
      void *self = create_backend(threads, kernels, 1);
      check_products(self, 1);
      check_attention(self);
      check_rows(self);
      check_heads(self);
      check_relative(self);
      destroy_backend(self);
      if (threads == 1) first = digest;
      check_true("the same bits with one thread and with several", digest == first);
      printf("kernels %lld, threads %lld: digest %016llx, %d failures\n", (long long)kernels,
             (long long)threads, (unsigned long long)digest, failures);
    }
  }
  void *blas = create_backend(2, 0, 2);
  check_products(blas, 0);
  destroy_backend(blas);
  printf("products by OpenBLAS: %d failures\n", failures);
  return failures != 0;
}
