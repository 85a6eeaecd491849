/* Nodes of this machine with cores and memory that this process may use. */
#ifndef SPAR_NUMA_TOPOLOGY_H
#define SPAR_NUMA_TOPOLOGY_H

#include <sched.h>
#include <stdint.h>

enum { MAX_NODES = 64 };

typedef struct numa_node {
  int32_t id;      /* the kernel's number; fakes share one */
  cpu_set_t cores; /* those this process may run on */
  int32_t n_cores;
  int32_t threads; /* of the instance, on this node */
  int64_t memory, memory_free; /* bytes */
} numa_node;

typedef struct topology {
  int32_t count;       /* nodes in use, the first ones of `node` */
  int32_t found;       /* nodes in `node` */
  int32_t present;     /* nodes of the machine */
  int32_t fake;        /* the real node is divided */
  int32_t has_libnuma;
  numa_node node[MAX_NODES];
  int32_t distance[MAX_NODES][MAX_NODES]; /* 10 = local */
} topology;

/* Reads libnuma, where it is installed, and sysfs.  At least one node, whatever
 * is missing. */
void topology_read(topology *map);
/* Divides the first node into `count` with equal shares of its cores (or all of them, when there
 * are fewer cores than nodes).  For tests: memory stays where it is. */
void topology_fake(topology *map, int32_t count);
/* Hands out threads in proportion to cores, at least one a node; drops nodes beyond `threads`. */
void topology_share(topology *map, int32_t threads);

/* "0-3,8" from a set. */
void cores_text(const cpu_set_t *set, char *text, uint64_t bytes);
/* Bits of a list such as "0-3,8"; returns how many. */
int32_t parse_list(const char *text, cpu_set_t *set);

#endif
