/* A minimal host, tensors with guarded memory, and the plugin under test. */
#ifndef KERNELS_HARNESS_H
#define KERNELS_HARNESS_H

#include "spar_plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A tensor in memory of its own: rows padded, everything filled with a marked NaN at first. */
typedef struct guarded {
  spar_tensor t;
  uint64_t bytes;
} guarded;

extern const spar_backend_api *api;
extern int failures;
extern int by_cpu_time; /* measure processor time: one thread, on a machine that others use */

void load_plugin(const char *path);
void *create_backend(int64_t threads, int64_t kernels, int64_t products);
void destroy_backend(void *self);

guarded tensor(int rank, const int64_t *shape, int64_t pad);
guarded zeros(int rank, const int64_t *shape, int64_t pad);
guarded random_tensor(int rank, const int64_t *shape, int64_t pad, double size);
guarded copy_of(guarded g);
void release(guarded g);
float *element(guarded g, int64_t i, int64_t j, int64_t k);
#define SHAPE(...) (sizeof((int64_t[]){__VA_ARGS__}) / 8), ((const int64_t[]){__VA_ARGS__})

extern uint64_t digest; /* of all values checked since start_over() */
void start_over(void);  /* the same random numbers again */
double uniform(void); /* [-1, 1) */
double seconds(void);

/* Nothing outside the tensor was written. */
void check_guard(const char *what, guarded g);
void check_value(const char *what, double got, double want, double tolerance);
void check_true(const char *what, int ok);
/* Same bits, element for element. */
void check_same(const char *what, guarded a, guarded b);
void check_status(const char *what, spar_status s);

void check_products(void *self, int row_invariant); /* OpenBLAS is not row-invariant */
void check_attention(void *self);
void check_rows(void *self);
void check_heads(void *self);
void check_relative(void *self);
void bench(void *self, int threads);
void bench_encoder(int64_t threads);

#endif
