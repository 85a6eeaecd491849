#define _GNU_SOURCE
#include "harness.h"

#include <dlfcn.h>
#include <time.h>

enum { MARK = 0x7fc0dead };

const spar_backend_api *api;
int failures;
int by_cpu_time;
static const spar_component *component;
static uint64_t state;
uint64_t digest;

void start_over(void) {
  state = 88172645463325252u;
  digest = 14695981039346656037u;
}

double uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (double)(state >> 11) * 0x1p-52 - 1;
}

double seconds(void) {
  struct timespec t;
  clock_gettime(by_cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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
  fprintf(stderr, "log %d: %s\n", level, text);
}
static void host_error(const spar_host *h, const char *text) {
  (void)h;
  fprintf(stderr, "error: %s\n", text);
}
static void host_for(const spar_host *h, int64_t n, int64_t grain, spar_range_fn fn, void *arg) {
  (void)h;
  for (int64_t i = 0; i < n; i += grain) fn(arg, i, i + grain < n ? i + grain : n, 0);
}
static int32_t host_threads(const spar_host *h) { return (void)h, 2; }
static int32_t host_cancelled(const spar_host *h) { return (void)h, 0; }
static const void *host_extension(const spar_host *h, const char *id) {
  return (void)h, (void)id, NULL;
}

static const spar_host host = {
  .struct_size = sizeof(spar_host), .generation = 1, .name = "kernels", .version = "1",
  .alloc = host_alloc, .free = host_free, .log = host_log, .set_error = host_error,
  .parallel_for = host_for, .thread_count = host_threads, .cancelled = host_cancelled,
  .extension = host_extension};

void load_plugin(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  spar_plugin_entry_fn entry;
  *(void **)&entry = dlsym(library, SPAR_ENTRY_SYMBOL);
  component = entry()->components;
  api = component->api;
  int32_t score = 0;
  component->probe(&host, &score);
  printf("%s %s, score %d\n", entry()->id, component->id, score);
}

void *create_backend(int64_t threads, int64_t kernels, int64_t products) {
  const spar_value v[] = {{.i = threads}, {.i = kernels}, {.i = products}};
  const spar_create_info info = {.struct_size = sizeof info, .values = v, .n_values = 3,
                                 .threads = 2};
  void *self = NULL;
  check_status("create", component->create(&host, &info, &self));
  return self;
}

void destroy_backend(void *self) { component->destroy(self); }

guarded tensor(int rank, const int64_t *shape, int64_t pad) {
  guarded g = {.t = {.dtype = SPAR_F32, .rank = rank}};
  int64_t n = 1;
  for (int i = rank - 1; i >= 0; i--) {
    g.t.shape[i] = shape[i];
    g.t.stride[i] = i == rank - 1 ? 1 : n;
    n = g.t.stride[i] * shape[i] + (i > 0 ? pad : 0);
  }
  n += 64;
  g.bytes = (uint64_t)n * 4;
  uint32_t *p = aligned_alloc(64, (g.bytes + 256 + 63) / 64 * 64);
  for (int64_t i = 0; i < n + 64; i++) p[i] = MARK;
  g.t.data = p + 32;
  return g;
}

void release(guarded g) { free((uint32_t *)g.t.data - 32); }

float *element(guarded g, int64_t i, int64_t j, int64_t k) {
  const int64_t *s = g.t.stride;
  return (float *)g.t.data + (g.t.rank == 3   ? i * s[0] + j * s[1] + k
                              : g.t.rank == 2 ? i * s[0] + j
                                              : i);
}

#define EACH(G)                                                              \
  for (int64_t i = 0; i < (G).t.shape[0]; i++)                               \
    for (int64_t j = 0; j < ((G).t.rank > 1 ? (G).t.shape[1] : 1); j++)      \
      for (int64_t k = 0; k < ((G).t.rank > 2 ? (G).t.shape[2] : 1); k++)

guarded zeros(int rank, const int64_t *shape, int64_t pad) {
  guarded g = tensor(rank, shape, pad);
  EACH(g) *element(g, i, j, k) = 0;
  return g;
}

guarded random_tensor(int rank, const int64_t *shape, int64_t pad, double size) {
  guarded g = tensor(rank, shape, pad);
  EACH(g) *element(g, i, j, k) = (float)(uniform() * size);
  return g;
}

guarded copy_of(guarded g) {
  guarded c = g;
  uint32_t *p = aligned_alloc(64, (g.bytes + 256 + 63) / 64 * 64);
  memcpy(p, (uint32_t *)g.t.data - 32, g.bytes + 256);
  c.t.data = p + 32;
  return c;
}

void check_true(const char *what, int ok) {
  if (ok) return;
  if (failures++ < 40) printf("FAIL %s\n", what);
}

void check_status(const char *what, spar_status s) {
  if (s == SPAR_OK) return;
  failures++;
  printf("FAIL %s: status %d\n", what, s);
}

void check_value(const char *what, double got, double want, double tolerance) {
  uint64_t bits;
  memcpy(&bits, &got, sizeof bits);
  digest = (digest ^ bits ^ bits >> 32) * 1099511628211u;
  if (fabs(got - want) <= tolerance * (1 + fabs(want)) || (isinf(want) && got == want)) return;
  if (failures++ < 40) printf("FAIL %s: got %.9g, want %.9g\n", what, got, want);
}

void check_same(const char *what, guarded a, guarded b) {
  int same = 1;
  EACH(a) same = same && memcmp(element(a, i, j, k), element(b, i, j, k), 4) == 0;
  check_true(what, same);
}

void check_guard(const char *what, guarded g) {
  const uint32_t *p = (const uint32_t *)g.t.data - 32;
  const int64_t n = (int64_t)(g.bytes / 4) + 64;
  char *own = calloc((size_t)n, 1);
  EACH(g) own[(uint32_t *)element(g, i, j, k) - p] = 1;
  int ok = 1;
  for (int64_t i = 0; i < n; i++) ok = ok && (own[i] || p[i] == MARK);
  if (!ok) printf("written outside: ");
  check_true(what, ok);
  free(own);
}
