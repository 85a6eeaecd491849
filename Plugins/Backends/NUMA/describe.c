/* What `spar doctor` and `spar bench` show: nodes, teams, rates, and where pages really are. */
#define _GNU_SOURCE
#include "numa_backend.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const usage_names[] = {NULL, "weights", "activations", "optimizer", "kv-cache"};
enum { USAGES = 5 };

typedef struct page_count {
  uint64_t buffers, bytes, here, away; /* here, away: bytes as the kernel counts them */
} page_count;

/* The buffer and the node whose share an address lies in. */
static const placed *owner_of(const numa_backend *self, uint64_t address, int32_t *node) {
  for (const placed *p = self->buffers; p; p = p->next) {
    const uint64_t base = (uint64_t)p->base;
    if (address < base || address >= base + p->bytes) continue;
    *node = numa_node_of(self, p, address - base);
    return p;
  }
  return NULL;
}

/* Adds up one line of numa_maps: "7f.. prefer:0 anon=3 N0=2 N1=1 kernelpagesize_kB=4". */
static void count_line(const numa_backend *self, char *line, page_count *counts) {
  char *at;
  int32_t node = 0;
  const placed *p = owner_of(self, strtoull(line, &at, 16), &node);
  if (!p || !p->known_by_policy || p->usage >= USAGES) return;
  const char *size = strstr(at, "kernelpagesize_kB=");
  const uint64_t page = size ? strtoull(size + 18, NULL, 10) * 1024 : 4096;
  for (char *n = strstr(at, " N"); n; n = strstr(n + 2, " N")) {
    char *end;
    const long id = strtol(n + 2, &end, 10);
    if (end == n + 2 || *end != '=') continue;
    const uint64_t bytes = strtoull(end + 1, NULL, 10) * page;
    if (id == self->map.node[node].id) counts[p->usage].here += bytes;
    else counts[p->usage].away += bytes;
  }
}

static int count_pages(const numa_backend *self, page_count *counts) {
  FILE *file = fopen("/proc/self/numa_maps", "re");
  if (!file) return 0;
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, file) > 0) count_line(self, line, counts);
  free(line);
  fclose(file);
  return 1;
}

static void describe_pages(numa_backend *self, spar_placement_row_fn row, void *arg) {
  page_count counts[USAGES] = {0};
  pthread_mutex_lock(&self->mutex);
  uint64_t unknown = 0;
  for (const placed *p = self->buffers; p; p = p->next) {
    page_count *c = &counts[p->usage < USAGES ? p->usage : 0];
    c->buffers++;
    c->bytes += p->bytes;
    unknown += !p->known_by_policy;
  }
  const int readable = count_pages(self, counts);
  pthread_mutex_unlock(&self->mutex);
  for (int usage = 1; usage < USAGES; usage++) {
    const page_count *c = &counts[usage];
    if (!c->buffers) continue;
    char text[200];
    const int n = snprintf(text, sizeof text, "%s: %.1f MB in %llu buffer%s, ", usage_names[usage],
                           (double)c->bytes / 1e6, (unsigned long long)c->buffers,
                           c->buffers == 1 ? "" : "s");
    const uint64_t seen = c->here + c->away;
    if (self->map.fake)
      snprintf(text + n, sizeof text - (size_t)n, "all in the memory of the one real node");
    else if (self->placement == PLACE_INTERLEAVE)
      snprintf(text + n, sizeof text - (size_t)n, "interleaved: %d of %d pages remote",
               self->map.count - 1, self->map.count);
    else if (!readable || unknown || !seen)
      snprintf(text + n, sizeof text - (size_t)n, "remote share unknown (%s)",
               unknown ? "without mbind the kernel does not list them apart"
                       : "/proc/self/numa_maps does not say");
    else
      snprintf(text + n, sizeof text - (size_t)n, "%.2f %% of pages remote",
               100 * (double)c->away / (double)seen);
    row(arg, "pages", text);
  }
}

/* As the kernel counts nodes; fakes count from 0. */
static int32_t number_of(const numa_backend *self, int32_t i) {
  return self->map.fake ? i : self->map.node[i].id;
}

static void describe_node(const numa_backend *self, int32_t i, spar_placement_row_fn row,
                          void *arg) {
  const numa_node *n = &self->map.node[i];
  char cores[256], text[512];
  cores_text(&n->cores, cores, sizeof cores);
  int at = snprintf(text, sizeof text, "%d: cores %s, ", number_of(self, i), cores);
  if (self->teams)
    at += snprintf(text + at, sizeof text - (size_t)at, "%d thread%s, ",
                   i < self->map.count ? n->threads : 0, n->threads == 1 ? "" : "s");
  at += snprintf(text + at, sizeof text - (size_t)at, "memory %.1f GB, %.1f GB free, distances",
                 (double)n->memory / 1e9, (double)n->memory_free / 1e9);
  for (int32_t j = 0; j < self->map.found && at < 480; j++)
    at += snprintf(text + at, sizeof text - (size_t)at, " %d", self->map.distance[i][j]);
  row(arg, "node", text);
}

static void describe_rates(numa_backend *self, spar_placement_row_fn row, void *arg) {
  char text[512];
  if (!self->teams) {
    snprintf(text, sizeof text, "all threads read %.1f GB/s", numa_bandwidth(self, 0, 0) / 1e9);
    row(arg, "bandwidth", text);
    return;
  }
  for (int32_t i = 0; i < self->map.count; i++) {
    int at = snprintf(text, sizeof text, "node %d reads", number_of(self, i));
    for (int32_t j = 0; j < self->map.count && at < 460; j++)
      at += snprintf(text + at, sizeof text - (size_t)at, "%s node %d %.1f GB/s", j ? "," : "",
                     number_of(self, j), numa_bandwidth(self, i, j) / 1e9);
    row(arg, "bandwidth", text);
  }
}

static void describe_copies(numa_backend *self, spar_placement_row_fn row, void *arg) {
  uint64_t weights = 0, bytes = 0;
  pthread_mutex_lock(&self->mutex);
  for (const placed *p = self->buffers; p; p = p->next) {
    weights += p->copy[0] != NULL;
    bytes += p->copy[0] ? p->bytes : 0;
  }
  pthread_mutex_unlock(&self->mutex);
  char text[120];
  snprintf(text, sizeof text, "%llu weights, %.1f MB, copied to every node",
           (unsigned long long)weights, (double)bytes / 1e6);
  row(arg, "copies", text);
}

spar_status numa_describe(void *me, uint64_t flags, spar_placement_row_fn row, void *arg) {
  numa_backend *self = me;
  const topology *map = &self->map;
  char text[512];
  const char *source = map->has_libnuma ? "libnuma and sysfs" : "sysfs, without libnuma";
  if (self->teams)
    snprintf(text, sizeof text, "%d %snodes of %d, a team of threads on each; topology from %s",
             map->count, map->fake ? "fake " : "", map->present, source);
  else
    snprintf(text, sizeof text, "one team of %d threads, no placement: %s; topology from %s",
             self->all.threads, self->why_one, source);
  row(arg, "nodes", text);
  for (int32_t i = 0; i < map->found; i++) describe_node(self, i, row, arg);
  if (self->teams) {
    if (self->policy_error[0])
      snprintf(text, sizeof text, "%s by first touch alone; mbind is refused: %s",
               "split by rows", self->policy_error);
    else
      snprintf(text, sizeof text, "%s by mbind and first touch",
               self->placement == PLACE_SPLIT ? "split by rows" : "interleaved page by page");
    row(arg, "placement", text);
  }
  if (flags & SPAR_PLACEMENT_MEASURE) describe_rates(self, row, arg);
  if (self->replicate_below > 0) describe_copies(self, row, arg);
  if (self->spans_seen > 0) {
    snprintf(text, sizeof text, "%.1f %% of %llu spans ran on the node of their keys",
             100 * (double)self->spans_home / (double)self->spans_seen,
             (unsigned long long)self->spans_seen);
    row(arg, "attention", text);
  }
  if (self->teams) describe_pages(self, row, arg);
  return SPAR_OK;
}
