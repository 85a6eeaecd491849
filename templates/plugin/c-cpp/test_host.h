/* What a test needs of a host: it fills the table that Spar hands to a plugin, and counts checks. */
#ifndef TEST_HOST_H
#define TEST_HOST_H
#include <stdio.h>
#include <stdlib.h>
#include "spar_plugin.h"

static int test_failures = 0;
#define CHECK(condition, ...) \
  do { \
    if (!(condition)) { \
      test_failures++; \
      fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
      fprintf(stderr, __VA_ARGS__); \
      fputc('\n', stderr); \
    } \
  } while (0)

static void *test_alloc(const spar_host *h, uint64_t bytes, uint64_t align) {
  (void)h;
  return aligned_alloc(align, (bytes + align - 1) / align * align);
}
static void test_free(const spar_host *h, void *p, uint64_t bytes, uint64_t align) {
  (void)h, (void)bytes, (void)align;
  free(p);
}
static void test_log(const spar_host *h, int32_t level, const char *text) {
  (void)h, (void)level;
  fprintf(stderr, "log: %s\n", text);
}
static void test_set_error(const spar_host *h, const char *text) {
  (void)h;
  fprintf(stderr, "the plugin reports: %s\n", text);
}
static void test_parallel_for(const spar_host *h, int64_t n, int64_t grain, spar_range_fn fn,
                              void *arg) {
  (void)h;
  for (int64_t i = 0; i < n; i += grain) fn(arg, i, i + grain < n ? i + grain : n, 0);
}
static int32_t test_one(const spar_host *h) { return (void)h, 1; }
static int32_t test_zero(const spar_host *h) { return (void)h, 0; }
static const void *test_extension(const spar_host *h, const char *id) {
  return (void)h, (void)id, (const void *)NULL;
}

static spar_host test_host(void) {
  spar_host h;
  memset(&h, 0, sizeof h);
  h.struct_size = sizeof h;
  h.generation = SPAR_ABI_GENERATION;
  h.revision = SPAR_ABI_REVISION;
  h.name = "test", h.version = "1";
  h.alloc = test_alloc, h.free = test_free;
  h.log = test_log, h.set_error = test_set_error;
  h.parallel_for = test_parallel_for;
  h.thread_count = test_one, h.cancelled = test_zero, h.extension = test_extension;
  return h;
}

/* The plugin's only component, made with the given option values. */
static const spar_component *test_create(const spar_host *h, const spar_value *values, uint64_t n,
                                         void **self) {
  const spar_component *c = spar_plugin_entry_v1()->components;
  spar_create_info info;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  info.values = values, info.n_values = n, info.threads = 1;
  if (c->n_params != n || c->create(h, &info, self) != SPAR_OK) {
    fprintf(stderr, "the component was not created\n");
    exit(1);
  }
  return c;
}

static int test_end(void) {
  if (test_failures == 0) fprintf(stderr, "all checks passed\n");
  return test_failures != 0;
}
#endif
