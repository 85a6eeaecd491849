#define _GNU_SOURCE
#include "topology.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of a small file without its newline; 0 when it cannot be read. */
static int read_line(const char *path, char *text, int bytes) {
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  const int ok = fgets(text, bytes, file) != NULL;
  fclose(file);
  if (ok) text[strcspn(text, "\n")] = 0;
  return ok;
}

int32_t parse_list(const char *text, cpu_set_t *set) {
  CPU_ZERO(set);
  while (*text) {
    char *end;
    const long first = strtol(text, &end, 10);
    if (end == text) break;
    const long last = *end == '-' ? strtol(end + 1, &end, 10) : first;
    for (long i = first; i <= last && i < CPU_SETSIZE; i++) CPU_SET((size_t)i, set);
    text = *end == ',' ? end + 1 : end;
    if (*end && *end != ',') break;
  }
  return CPU_COUNT(set);
}

void cores_text(const cpu_set_t *set, char *text, uint64_t bytes) {
  uint64_t at = 0;
  text[0] = 0;
  for (int i = 0; i < CPU_SETSIZE; i++) {
    if (!CPU_ISSET((size_t)i, set)) continue;
    int last = i;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET((size_t)last + 1, set)) last++;
    const int n = last > i ? snprintf(text + at, bytes - at, "%s%d-%d", at ? "," : "", i, last)
                           : snprintf(text + at, bytes - at, "%s%d", at ? "," : "", i);
    if (n < 0 || (uint64_t)n >= bytes - at) return;
    at += (uint64_t)n;
    i = last;
  }
}

/* What of libnuma is used; loaded at run time, so that the plugin works without it. */
typedef struct numa_library {
  int (*available)(void);
  int (*distance)(int, int);
  long long (*node_size)(int, long long *);
} numa_library;

static int load_library(numa_library *l) {
  void *p = dlopen("libnuma.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!p) return 0;
  *(void **)&l->available = dlsym(p, "numa_available");
  *(void **)&l->distance = dlsym(p, "numa_distance");
  *(void **)&l->node_size = dlsym(p, "numa_node_size64");
  return l->available && l->distance && l->node_size && l->available() >= 0;
}

static int64_t kibibytes_of(int32_t id, const char *key) {
  char path[64], line[160];
  snprintf(path, sizeof path, "/sys/devices/system/node/node%d/meminfo", id);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  int64_t value = 0;
  while (fgets(line, sizeof line, file)) {
    const char *at = strstr(line, key);
    if (at) value = strtoll(at + strlen(key), NULL, 10);
    if (at) break;
  }
  fclose(file);
  return value * 1024;
}

static void read_distances(topology *map, const numa_library *library) {
  for (int32_t i = 0; i < map->count; i++) {
    char path[64], line[1024] = "";
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/distance", map->node[i].id);
    long row[MAX_NODES] = {0};
    if (read_line(path, line, sizeof line)) {
      char *at = line;
      for (int32_t j = 0; j < MAX_NODES && *at; j++) row[j] = strtol(at, &at, 10);
    }
    for (int32_t j = 0; j < map->count; j++) {
      const int32_t id = map->node[j].id;
      const int known = map->has_libnuma ? library->distance(map->node[i].id, id) : (int)row[id];
      map->distance[i][j] = known > 0 ? known : i == j ? 10 : 20;
    }
  }
}

/* Memory this process may use: a cpuset may leave nodes out. */
static int memory_allowed(cpu_set_t *nodes) {
  FILE *file = fopen("/proc/self/status", "re");
  char line[1024];
  int found = 0;
  while (file && !found && fgets(line, sizeof line, file))
    if (strncmp(line, "Mems_allowed_list:", 18) == 0) {
      const char *list = line + 18;
      while (*list == ' ' || *list == '\t') list++;
      found = parse_list(list, nodes) > 0;
    }
  if (file) fclose(file);
  return found;
}

void topology_read(topology *map) {
  numa_library library = {0};
  *map = (topology){.has_libnuma = load_library(&library)};
  cpu_set_t allowed, online, memory;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) CPU_ZERO(&allowed);
  char line[1024];
  if (!read_line("/sys/devices/system/node/online", line, sizeof line)) line[0] = 0;
  map->present = parse_list(line, &online);
  if (!memory_allowed(&memory)) memory = online;
  for (int32_t id = 0; id < MAX_NODES; id++) {
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpulist", id);
    if (!CPU_ISSET((size_t)id, &online) || !CPU_ISSET((size_t)id, &memory) ||
        !read_line(path, line, sizeof line))
      continue;
    numa_node *n = &map->node[map->count];
    parse_list(line, &n->cores);
    CPU_AND(&n->cores, &n->cores, &allowed);
    n->n_cores = CPU_COUNT(&n->cores);
    n->id = id;
    long long free_bytes = 0;
    const int known = map->has_libnuma;
    n->memory = known ? library.node_size(id, &free_bytes) : kibibytes_of(id, "MemTotal:");
    n->memory_free = known ? free_bytes : kibibytes_of(id, "MemFree:");
    if (n->n_cores > 0 && n->memory > 0) map->count++;
  }
  if (map->count == 0) { /* a kernel without NUMA */
    map->count = 1;
    map->node[0] = (numa_node){.cores = allowed, .n_cores = CPU_COUNT(&allowed)};
    map->node[0].memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  }
  map->found = map->count;
  if (map->present < map->count) map->present = map->count;
  read_distances(map, &library);
}

void topology_fake(topology *map, int32_t count) {
  const numa_node whole = map->node[0];
  map->fake = 1;
  map->count = map->found = count;
  for (int32_t i = 0; i < count; i++) {
    numa_node *n = &map->node[i];
    *n = whole;
    n->memory /= count;
    n->memory_free /= count;
    for (int32_t j = 0; j < count; j++) map->distance[i][j] = map->distance[0][0];
    if (whole.n_cores < count) continue;
    CPU_ZERO(&n->cores);
    n->n_cores = 0;
    for (int32_t core = 0, rank = 0; core < CPU_SETSIZE; core++) {
      if (!CPU_ISSET((size_t)core, &whole.cores)) continue;
      if (rank++ * count / whole.n_cores != i) continue;
      CPU_SET((size_t)core, &n->cores);
      n->n_cores++;
    }
  }
}

void topology_share(topology *map, int32_t threads) {
  if (map->count > threads) map->count = threads;
  int32_t cores = 0;
  for (int32_t i = 0; i < map->count; i++) cores += map->node[i].n_cores;
  if (cores < 1) cores = 1;
  int32_t left = threads;
  for (int32_t i = 0; i < map->count; i++) {
    const int32_t after = map->count - 1 - i; /* each of these gets one at least */
    int32_t share = (int32_t)((int64_t)threads * map->node[i].n_cores / cores);
    if (share > left - after) share = left - after;
    map->node[i].threads = share < 1 ? 1 : share;
    left -= map->node[i].threads;
  }
  /* What rounding left, one by one where there are cores to spare. */
  for (int32_t i = 0; left > 0; i = (i + 1) % map->count, left--) map->node[i].threads++;
}
