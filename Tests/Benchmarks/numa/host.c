#define _GNU_SOURCE
#include "placement.h"

#include <dlfcn.h>
#include <unistd.h>

int failures;
static uint64_t state;

void check(const char *what, int ok) {
  printf("%s  %s\n", ok ? "ok  " : "FAIL", what);
  failures += !ok;
}

void start_over(void) { state = 88172645463325252u; }

float uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (float)((double)(state >> 11) * 0x1p-52 - 1);
}

static void *host_alloc(const spar_host *h, uint64_t bytes, uint64_t align) {
  (void)h;
  return aligned_alloc(align, (bytes + align - 1) / align * align);
}
static void host_free(const spar_host *h, void *p, uint64_t bytes, uint64_t align) {
  (void)h, (void)bytes, (void)align;
  free(p);
}
static void host_log(const spar_host *h, int32_t level, const char *text) {
  (void)h;
  printf("log %d: %s\n", level, text);
}
static void host_error(const spar_host *h, const char *text) {
  (void)h;
  printf("error: %s\n", text);
}
static void host_for(const spar_host *h, int64_t n, int64_t grain, spar_range_fn fn, void *arg) {
  (void)h;
  for (int64_t i = 0; i < n; i += grain) fn(arg, i, i + grain < n ? i + grain : n, 0);
}
static int32_t host_threads(const spar_host *h) {
  return (void)h, (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
}
static int32_t host_cancelled(const spar_host *h) { return (void)h, 0; }
static const void *host_extension(const spar_host *h, const char *id) {
  return (void)h, (void)id, NULL;
}

static const spar_host host = {
  .struct_size = sizeof(spar_host), .generation = 1, .name = "placement", .version = "1",
  .alloc = host_alloc, .free = host_free, .log = host_log, .set_error = host_error,
  .parallel_for = host_for, .thread_count = host_threads, .cancelled = host_cancelled,
  .extension = host_extension};

instance create(const char *library, const int64_t *values, uint64_t n_values, int32_t threads) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  spar_plugin_entry_fn entry = NULL;
  if (handle) *(void **)&entry = dlsym(handle, SPAR_ENTRY_SYMBOL);
  if (!entry) {
    printf("FAIL  %s\n", dlerror());
    exit(2);
  }
  instance i = {.component = entry()->components};
  i.api = i.component->api;
  spar_value v[16] = {{0}};
  for (uint64_t k = 0; k < n_values; k++) v[k].i = values[k];
  const spar_create_info info = {.struct_size = sizeof info, .values = v, .n_values = n_values,
                                 .threads = threads};
  if (i.component->create(&host, &info, &i.self) != SPAR_OK) exit(2);
  return i;
}

void destroy(instance *i) { i->component->destroy(i->self); }

int64_t bytes_of(const spar_tensor *t) {
  int64_t n = 4;
  for (int32_t i = 0; i < t->rank; i++) n *= t->shape[i];
  return n;
}

spar_tensor zero_tensor(instance *i, uint32_t usage, int rank, const int64_t *shape) {
  spar_tensor t = {.dtype = SPAR_F32, .rank = rank};
  int64_t n = 1;
  for (int k = rank - 1; k >= 0; k--) {
    t.shape[k] = shape[k];
    t.stride[k] = n;
    n *= shape[k];
  }
  spar_buffer b = {0};
  if (i->api->buffer_alloc &&
      i->api->buffer_alloc(i->self, (uint64_t)n * 4, usage, &b) == SPAR_OK) {
    t.data = b.host;
    t.buffer = b.handle;
  } else {
    t.data = aligned_alloc(64, ((uint64_t)n * 4 + 63) / 64 * 64);
  }
  memset(t.data, 0, (size_t)n * 4);
  return t;
}

spar_tensor random_tensor(instance *i, uint32_t usage, int rank, const int64_t *shape, float size) {
  spar_tensor t = zero_tensor(i, usage, rank, shape);
  float *p = t.data;
  for (int64_t k = 0; k < bytes_of(&t) / 4; k++) p[k] = uniform() * size;
  return t;
}
