/* A minimal host, two plugins, and tensors that live where a backend wants them. */
#ifndef NUMA_PLACEMENT_H
#define NUMA_PLACEMENT_H

#include "spar_plugin.h"

#include <stdio.h>
#include <stdlib.h>

/* A created backend. */
typedef struct instance {
  const spar_component *component;
  const spar_backend_api *api;
  void *self;
} instance;

extern int failures;
void check(const char *what, int ok);
float uniform(void); /* [-1, 1), the same numbers each time */
void start_over(void);

/* values: the component's options in order. */
instance create(const char *library, const int64_t *values, uint64_t n_values, int32_t threads);
void destroy(instance *i);

/* A dense tensor of random numbers (or of zeros) in memory of `i`, else of the host. */
spar_tensor random_tensor(instance *i, uint32_t usage, int rank, const int64_t *shape, float size);
spar_tensor zero_tensor(instance *i, uint32_t usage, int rank, const int64_t *shape);
#define SHAPE(...) (sizeof((int64_t[]){__VA_ARGS__}) / 8), ((const int64_t[]){__VA_ARGS__})
int64_t bytes_of(const spar_tensor *t);

/* Runs all operations and writes what they give, one after the other; returns the bytes written. */
uint64_t run_operations(instance *i, char *out, uint64_t room);

#endif
