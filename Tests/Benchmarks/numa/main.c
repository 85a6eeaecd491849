/*
 * placement NUMA.so OPENBLAS.so [FAKE_NODES [no-mbind]]: where the numa plugin puts threads and
 * pages, and that its bits are those of openblas with its own products.
 *
 *   cc -O2 -std=gnu11 -ISources/CSparPlugin/include Tests/Benchmarks/numa/[mho]*.c \
 *     -o placement -ldl
 *   ./placement .build/release/libspar-numa.so .build/release/libspar-openblas.so 2
 *
 * On a machine with several nodes FAKE_NODES is 0; scripts/numa-qemu.sh makes such a machine.
 * no-mbind forbids the calls that set a memory policy, as containers do.
 * The kernel is asked itself (move_pages, /proc/self/task), not the plugin.
 */
#define _GNU_SOURCE
#include "placement.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_NODES = 64, BLOCK = 256 };

/* mbind and set_mempolicy answer EPERM from now on. */
static int forbid_policies(void) {
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mbind, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_set_mempolicy, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const struct sock_fprog filter = {.len = sizeof code / sizeof *code, .filter = code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* Nodes whose cores this process may use: 1 when it is tied to one. */
static int nodes_usable(int present) {
  int n = 0;
  cpu_set_t mine;
  sched_getaffinity(0, sizeof mine, &mine);
  for (int node = 0; node < present; node++) {
    int found = 0;
    for (int core = 0; core < 1024 && !found; core++) {
      char path[80];
      snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpu%d", node, core);
      found = CPU_ISSET((size_t)core, &mine) && access(path, F_OK) == 0;
    }
    n += found;
  }
  return n;
}

static int nodes_present(void) {
  int n = 0;
  char path[64];
  for (; n < MAX_NODES; n++) {
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d", n);
    if (access(path, F_OK) != 0) break;
  }
  return n;
}

/* Pages of [p, p + bytes) on each node; 0 when the kernel does not say. */
static int pages_on(const char *p, uint64_t bytes, int64_t *count) {
  const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  for (uint64_t at = 0; at < bytes;) {
    void *address[BLOCK];
    int status[BLOCK];
    unsigned long n = 0;
    for (; n < BLOCK && at < bytes; n++, at += page) address[n] = (void *)(p + at);
    if (syscall(SYS_move_pages, 0, n, address, NULL, status, 0) != 0) return 0;
    for (unsigned long i = 0; i < n; i++)
      if (status[i] >= 0 && status[i] < MAX_NODES) count[status[i]]++;
  }
  return 1;
}

/* A buffer's equal parts, part i of `rounds * nodes` on node i % nodes. */
static void show_pages(instance *numa, const char *what, uint32_t usage, uint64_t bytes, int nodes,
                       int rounds) {
  spar_buffer b = {0};
  if (numa->api->buffer_alloc(numa->self, bytes, usage, &b) != SPAR_OK) {
    printf("      %s: the plugin leaves this memory to the host\n", what);
    return;
  }
  memset(b.host, 1, bytes); /* the host's thread writes: pages must already have their place */
  const uint64_t part = bytes / (uint64_t)(nodes * rounds);
  int64_t home = 0, away = 0;
  for (int i = 0; i < nodes * rounds; i++) {
    int64_t count[MAX_NODES] = {0};
    if (!pages_on((char *)b.host + (uint64_t)i * part, part, count)) {
      printf("      %s: move_pages is refused here\n", what);
      return;
    }
    if (i < 2 * nodes) printf("      %s, part %d of %d:", what, i + 1, nodes * rounds);
    for (int n = 0; n < nodes; n++) {
      if (i < 2 * nodes) printf(" node %d %lld pages", n, (long long)count[n]);
      *(n == i % nodes ? &home : &away) += count[n];
    }
    if (i < 2 * nodes) printf("\n");
  }
  char text[160];
  snprintf(text, sizeof text, "%s: %lld pages on their node, %lld elsewhere", what,
           (long long)home, (long long)away);
  if (nodes > 1) check(text, home > 0 && away == 0);
  numa->api->buffer_free(numa->self, &b);
}

static void node_cores(int node, char *text, int bytes) {
  char path[64];
  snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpulist", node);
  FILE *file = fopen(path, "r");
  if (!file || !fgets(text, bytes, file)) text[0] = 0;
  if (file) fclose(file);
  text[strcspn(text, "\n")] = 0;
}

/* Every thread but the program's own may run on the cores of exactly one node. */
static void show_threads(int nodes) {
  DIR *folder = opendir("/proc/self/task");
  if (!folder) return;
  for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
    if (e->d_name[0] == '.' || atoi(e->d_name) == getpid()) continue;
    char path[300], line[256], cores[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
      if (sscanf(line, "Cpus_allowed_list: %255s", cores) == 1) break;
    if (file) fclose(file);
    int home = -1;
    for (int n = 0; n < nodes; n++) {
      char own[256];
      node_cores(n, own, sizeof own);
      if (strcmp(own, cores) == 0) home = n;
    }
    char text[400];
    snprintf(text, sizeof text, "thread %s may run on cores %s: node %d", e->d_name, cores, home);
    if (nodes > 1) check(text, home >= 0);
    else printf("      %s\n", text);
  }
  closedir(folder);
}

static void print_row(void *arg, const char *key, const char *text) {
  (void)arg;
  printf("      %-10s %s\n", key, text);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: placement NUMA.so OPENBLAS.so [FAKE_NODES]\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  const int nodes = nodes_usable(nodes_present());
  const int32_t threads = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
  const int64_t fake = argc > 3 ? atoi(argv[3]) : 0;
  if (argc > 4) check("mbind and set_mempolicy are forbidden", forbid_policies());
  instance numa = create(argv[1], (int64_t[]){0, 0, 0, 0, fake}, 5, threads);
  show_threads(nodes);
  const spar_placement_ext *placement = numa.component->extension(numa.self, SPAR_PLACEMENT_EXT);
  const int real = fake ? 1 : nodes;
  show_pages(&numa, "weight 1024 x 576", SPAR_BUF_WEIGHTS, 1024 * 576 * 4, real, 1);
  show_pages(&numa, "activations 1024 x 576", SPAR_BUF_ACTIVATIONS, 1024 * 576 * 4, real, 1);
  show_pages(&numa, "key cache 2048 x 192", SPAR_BUF_KV_CACHE, 2048 * 192 * 4, real, 8);

  enum { ROOM = 64 << 20 };
  char *ours = malloc(ROOM), *theirs = malloc(ROOM);
  const uint64_t n = run_operations(&numa, ours, ROOM);
  instance openblas = create(argv[2], (int64_t[]){0, 0, 1}, 3, threads);
  const uint64_t m = run_operations(&openblas, theirs, ROOM);
  char text[120];
  snprintf(text, sizeof text, "%.1f MB of results have the bits of openblas", (double)n / 1e6);
  check(text, n == m && memcmp(ours, theirs, n) == 0);
  instance copies = create(argv[1], (int64_t[]){0, 0, 0, 0, fake, 1 << 20}, 6, threads);
  memset(theirs, 0, n);
  check("replicate-below=1048576 has the same bits",
        run_operations(&copies, theirs, ROOM) == n && memcmp(ours, theirs, n) == 0);
  instance off = create(argv[1], (int64_t[]){0, 0, 2, 0, 0}, 5, threads);
  memset(theirs, 0, n);
  check("placement=off has the same bits",
        run_operations(&off, theirs, ROOM) == n && memcmp(ours, theirs, n) == 0);

  placement->describe(numa.self, SPAR_PLACEMENT_MEASURE, print_row, NULL);
  placement->describe(off.self, 0, print_row, NULL);
  destroy(&off);
  destroy(&copies);
  destroy(&openblas);
  destroy(&numa);
  printf(failures ? "placement: %d failures\n" : "placement: all is well\n", failures);
  return failures != 0;
}
