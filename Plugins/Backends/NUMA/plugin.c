/*
 * The `numa` compute backend: the operations and bits of `openblas` (with its own products), for
 * machines whose memory is divided into nodes.  Each node has a team of pinned threads, and every
 * large tensor is cut so that a node works on what it holds.
 */
#define _GNU_SOURCE
#include "numa_backend.h"

#include <stdio.h>

enum { OPTION_THREADS, OPTION_KERNELS, OPTION_PLACEMENT, OPTION_NODES, OPTION_FAKE,
       OPTION_REPLICATE, OPTION_COUNT };

static const char *const kernel_choices[] = {"auto", "avx512", "avx2", "portable", NULL};
static const char *const placement_choices[] = {"split", "interleave", "off", NULL};

static const spar_param params[] = {
  [OPTION_THREADS] = {.struct_size = sizeof(spar_param), .name = "threads",
                      .doc = "Threads of all nodes together; 0 takes the host's budget.",
                      .unit = "threads", .default_text = "0", .min = 0, .max = 4096,
                      .type = SPAR_T_INT, .flags = SPAR_P_RANGE},
  [OPTION_KERNELS] = {.struct_size = sizeof(spar_param), .name = "kernels",
                      .doc = "Instruction set; one the processor lacks gives the next smaller.",
                      .default_text = "auto", .choices = kernel_choices, .type = SPAR_T_ENUM,
                      .flags = SPAR_P_ADVANCED},
  [OPTION_PLACEMENT] = {.struct_size = sizeof(spar_param), .name = "placement",
                        .doc = "Large tensors are split by rows among the nodes, interleaved page "
                               "by page, or not placed at all: one team of threads.",
                        .default_text = "split", .choices = placement_choices,
                        .type = SPAR_T_ENUM},
  [OPTION_NODES] = {.struct_size = sizeof(spar_param), .name = "nodes",
                    .doc = "Use the first so many nodes; 0 takes all that have cores and memory.",
                    .unit = "nodes", .default_text = "0", .min = 0, .max = MAX_NODES,
                    .type = SPAR_T_INT, .flags = SPAR_P_RANGE},
  [OPTION_FAKE] = {.struct_size = sizeof(spar_param), .name = "fake-nodes",
                   .doc = "For tests: treat one node's cores as so many nodes; 0 does not.",
                   .unit = "nodes", .default_text = "0", .min = 0, .max = 8, .type = SPAR_T_INT,
                   .flags = SPAR_P_RANGE | SPAR_P_ADVANCED},
  [OPTION_REPLICATE] = {.struct_size = sizeof(spar_param), .name = "replicate-below",
                        .doc = "Weights of at most so many bytes are also copied to every node, so "
                               "that both passes read near memory; 0 copies none.",
                        .unit = "bytes", .default_text = "0", .min = 0, .max = 1e12,
                        .type = SPAR_T_INT, .flags = SPAR_P_RANGE},
};

/* Below openblas: whoever has several nodes asks for it by name. */
static spar_status probe(const spar_host *h, int32_t *score) {
  (void)h;
  *score = 150;
  return SPAR_OK;
}

static void destroy(void *p) {
  numa_backend *self = p;
  const spar_host *h = self->host;
  if (self->teams)
    for (int32_t i = 0; i < self->map.count; i++)
      if (self->node[i].host) spar_cpu_release(&self->node[i]);
  if (self->all.host) spar_cpu_release(&self->all);
  spar_teams_destroy(self->teams);
  spar_team_destroy(self->plain);
  if (self->spans) h->free(h, self->spans, self->spans_bytes, 64);
  pthread_mutex_destroy(&self->mutex);
  h->free(h, self, sizeof *self, 64);
}

/* Teams on the nodes of self->map; without them (a reason in why_one) there is one team. */
static void start_teams(numa_backend *self) {
  spar_team_place places[MAX_NODES];
  for (int32_t i = 0; i < self->map.count; i++)
    places[i] = (spar_team_place){self->map.node[i].threads, &self->map.node[i].cores};
  self->teams = spar_teams_create(self->map.count, places);
  if (!self->teams)
    snprintf(self->why_one, sizeof self->why_one, "threads could not be pinned to the nodes");
}

/* Decides what the machine, its rights and the options allow. */
static void choose_nodes(numa_backend *self, int32_t threads, int32_t nodes, int32_t fakes) {
  topology *map = &self->map;
  topology_read(map);
  if (fakes > 1) topology_fake(map, fakes);
  if (nodes > 0 && nodes < map->count) map->count = nodes;
  topology_share(map, threads);
  char *why = self->why_one;
  const size_t room = sizeof self->why_one;
  if (self->placement == PLACE_OFF) snprintf(why, room, "placement is off");
  else if (nodes == 1) snprintf(why, room, "one node was asked for");
  else if (map->found == 1 && map->present > 1)
    snprintf(why, room, "of %d nodes this process may use one", map->present);
  else if (map->found == 1) snprintf(why, room, "this machine has one node");
  else if (map->count == 1) snprintf(why, room, "there is one thread");
}

static spar_status start(numa_backend *self, const spar_kernels *kernels, int32_t threads) {
  const spar_host *h = self->host;
  if (!self->why_one[0]) {
    numa_try_policy(self);
    if (self->placement == PLACE_INTERLEAVE && self->policy_error[0]) {
      char text[200];
      snprintf(text, sizeof text, "numa: placement interleave needs mbind, which is refused: %s; "
               "use split or off", self->policy_error);
      h->set_error(h, text);
      return SPAR_E_INVALID;
    }
    start_teams(self);
  }
  if (!self->teams) {
    self->map.count = 1;
    self->map.node[0].threads = threads;
    self->plain = spar_team_create(threads);
    if (!self->plain) {
      h->set_error(h, "numa: cannot start the threads; ask for fewer");
      return SPAR_E_NOMEM;
    }
  }
  spar_status status = spar_cpu_init(&self->all, h, "numa", kernels,
                                     self->teams ? spar_teams_all(self->teams) : self->plain, NULL);
  for (int32_t i = 0; self->teams && i < self->map.count && status == SPAR_OK; i++) {
    self->first[i + 1] = self->first[i] + self->map.node[i].threads;
    status = spar_cpu_init(&self->node[i], h, "numa", kernels, spar_teams_one(self->teams, i),
                           NULL);
  }
  return status;
}

static spar_status create(const spar_host *h, const spar_create_info *raw, void **out) {
  spar_create_info info;
  spar_adopt(&info, sizeof info, raw);
  int64_t v[OPTION_COUNT] = {0};
  for (uint64_t i = 0; i < info.n_values && i < OPTION_COUNT; i++) v[i] = info.values[i].i;
  if (v[OPTION_KERNELS] < 0 || v[OPTION_KERNELS] > 3 || v[OPTION_PLACEMENT] < 0 ||
      v[OPTION_PLACEMENT] > PLACE_OFF || v[OPTION_FAKE] > 8) {
    h->set_error(h, "numa: option value out of range");
    return SPAR_E_INVALID;
  }
  numa_backend *self = h->alloc(h, sizeof *self, 64);
  if (!self) {
    h->set_error(h, "numa: no memory for the instance");
    return SPAR_E_NOMEM;
  }
  memset(self, 0, sizeof *self);
  self->host = h;
  self->placement = (int32_t)v[OPTION_PLACEMENT];
  pthread_mutex_init(&self->mutex, NULL);
  const int32_t budget = info.threads > 0 ? info.threads : h->thread_count(h);
  const int32_t wished = v[OPTION_THREADS] > 0 ? (int32_t)v[OPTION_THREADS] : budget;
  const int32_t threads = wished > 1 ? wished : 1;
  choose_nodes(self, threads, (int32_t)v[OPTION_NODES], (int32_t)v[OPTION_FAKE]);
  self->replicate_below = (uint64_t)v[OPTION_REPLICATE];
  const spar_kernels *kernels = spar_kernels_for(kernel_choices[v[OPTION_KERNELS]]);
  const spar_status status = start(self, kernels, threads);
  if (status != SPAR_OK) {
    destroy(self);
    return status;
  }
  *out = self;
  return SPAR_OK;
}

/* Operations that all threads do as one team. */
#define ON_ALL(NAME, ARGS)                                              \
  static spar_status all_##NAME(void *self, const ARGS *args) {         \
    numa_steer(self);                                                   \
    return spar_cpu_##NAME(&((numa_backend *)self)->all, args);         \
  }
ON_ALL(attention_bwd, spar_attention_args)
ON_ALL(rel_attention, spar_rel_attention_args)
ON_ALL(rel_attention_bwd, spar_rel_attention_args)
ON_ALL(norm, spar_norm_args)
ON_ALL(norm_bwd, spar_norm_args)
ON_ALL(rope, spar_rope_args)
ON_ALL(softmax, spar_softmax_args)
ON_ALL(softmax_bwd, spar_softmax_args)
ON_ALL(activation, spar_activation_args)
ON_ALL(activation_bwd, spar_activation_args)
ON_ALL(embed, spar_embed_args)
ON_ALL(embed_bwd, spar_embed_args)
ON_ALL(logp, spar_logp_args)
ON_ALL(logp_bwd, spar_logp_args)
ON_ALL(reduce, spar_reduce_args)
ON_ALL(linear_logp, spar_linear_logp_args)
ON_ALL(linear_logp_bwd, spar_linear_logp_args)

/* Those that may write a weight: its copies are then old. */
#define ON_ALL_WRITING(NAME, ARGS, OUTPUT)                              \
  static spar_status all_##NAME(void *self, const ARGS *args) {         \
    numa_steer(self);                                                   \
    numa_wrote(args->OUTPUT);                                           \
    return spar_cpu_##NAME(&((numa_backend *)self)->all, args);         \
  }
ON_ALL_WRITING(binary, spar_binary_args, y)
ON_ALL_WRITING(copy, spar_copy_args, y)
ON_ALL_WRITING(optimizer, spar_optimizer_args, p)

static spar_status all_fill(void *self, spar_tensor *y, double value) {
  numa_steer(self);
  numa_wrote(y);
  return spar_cpu_fill(&((numa_backend *)self)->all, y, value);
}

static const spar_backend_api api = {
  .struct_size = sizeof(spar_backend_api),
  .flags = SPAR_BE_OWN_THREADS | SPAR_BE_DETERMINISTIC,
  .buffer_alloc = numa_buffer_alloc,
  .buffer_free = numa_buffer_free,
  .buffer_write = numa_buffer_write,
  .gemm = numa_gemm,
  .attention = numa_attention,
  .attention_bwd = all_attention_bwd,
  .norm = all_norm,
  .norm_bwd = all_norm_bwd,
  .rope = all_rope,
  .softmax = all_softmax,
  .softmax_bwd = all_softmax_bwd,
  .activation = all_activation,
  .activation_bwd = all_activation_bwd,
  .embed = all_embed,
  .embed_bwd = all_embed_bwd,
  .logp = all_logp,
  .logp_bwd = all_logp_bwd,
  .binary = all_binary,
  .reduce = all_reduce,
  .copy = all_copy,
  .fill = all_fill,
  .linear_logp = all_linear_logp,
  .linear_logp_bwd = all_linear_logp_bwd,
  .optimizer = all_optimizer,
  .rel_attention = all_rel_attention,
  .rel_attention_bwd = all_rel_attention_bwd,
};

static const spar_placement_ext placement = {.struct_size = sizeof placement,
                                             .describe = numa_describe};

static const void *extension(void *self, const char *id) {
  (void)self;
  return strcmp(id, SPAR_PLACEMENT_EXT) == 0 ? &placement : NULL;
}

static const spar_component component = {
  .struct_size = sizeof(spar_component),
  .kind = SPAR_KIND_BACKEND,
  .id = "numa",
  .name = "NUMA placement",
  .doc = "CPU backend for several memory nodes: pinned teams, tensors split by rows.",
  .params = params,
  .n_params = sizeof params / sizeof params[0],
  .probe = probe,
  .create = create,
  .destroy = destroy,
  .api = &api,
  .extension = extension,
};

static const spar_plugin plugin = {
  .struct_size = sizeof(spar_plugin),
  .generation = SPAR_ABI_GENERATION,
  .revision = SPAR_ABI_REVISION,
  .id = "org.spar.numa",
  .name = "NUMA backend",
  .version = "1.0.0",
  .vendor = "Spar",
  .license = "Apache-2.0",
  .components = &component,
  .n_components = 1,
};

const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
