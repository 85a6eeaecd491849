/* Identity preference optimization (Azar et al. 2023, arXiv:2310.12036, eq. 17). */
#include <stdlib.h>
#include "spar_plugin.h"

typedef struct { double beta; } ipo;

static const spar_param params[] = {{
    .struct_size = sizeof(spar_param), .name = "beta", .type = SPAR_T_FLOAT, .unit = "1/nat",
    .doc = "pull towards the reference: the margin aimed at is 1/(2 beta) per token",
    .default_text = "0.1", .min = 1e-6, .max = 10, .flags = SPAR_P_RANGE}};
static const char *const metrics[] = {"margin", NULL};

static spar_status create(const spar_host *host, const spar_create_info *info, void **self) {
  spar_create_info i;
  spar_adopt(&i, sizeof i, info); /* a struct that may grow is copied, never dereferenced */
  ipo *me = malloc(sizeof *me);
  if (!me) return host->set_error(host, "ipo: out of memory"), SPAR_E_NOMEM;
  me->beta = i.values[0].f; /* parsed and checked by the host, in the order of `params` */
  *self = me;
  return SPAR_OK;
}

static spar_status evaluate(void *self, spar_objective_batch *batch) {
  spar_objective_batch b;
  spar_adopt(&b, sizeof b, batch);
  for (int64_t g = 0; g < b.n_groups; g++) {
    int64_t w = -1, l = -1; /* rows of the chosen and the rejected answer of this prompt */
    for (int64_t i = b.begin[g]; i < b.begin[g + 1]; i++)
      if (b.label[i] > 0) w = i; else if (b.label[i] < 0) l = i;
    if (w < 0 || l < 0 || b.n_tokens[w] == 0 || b.n_tokens[l] == 0) continue;
    double nw = (double)b.n_tokens[w], nl = (double)b.n_tokens[l];
    double z = (b.logp[w] - b.ref_logp[w]) / nw - (b.logp[l] - b.ref_logp[l]) / nl;
    double miss = z - 0.5 / ((ipo *)self)->beta;
    b.loss[w] = miss * miss; /* the host sums, and divides by the pairs of the step */
    b.dlogp[w] = 2 * miss / nw;
    b.dlogp[l] = -2 * miss / nl;
    b.metric_sum[0] += z, b.metric_weight[0] += 1;
  }
  return SPAR_OK;
}

static const spar_objective_api api = {
    .struct_size = sizeof api, .needs = SPAR_OBJ_REFERENCE, .metric_names = metrics,
    .evaluate = evaluate};
static const spar_component components[] = {{
    .struct_size = sizeof(spar_component), .kind = SPAR_KIND_OBJECTIVE, .id = "ipo",
    .name = "IPO", .doc = "squared distance of the log-ratio margin from 1/(2 beta)",
    .params = params, .n_params = 1, .create = create, .destroy = free, .api = &api}};
static const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION,
    .revision = SPAR_ABI_REVISION, .id = "org.example.ipo", .name = "IPO", .version = "1.0",
    .vendor = "you", .license = "Apache-2.0", .components = components, .n_components = 1};

const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
