/*
 * @NAME@: an objective for Spar.
 *
 * For a chosen answer w and a rejected answer l of one prompt, with r = log pi(y|x) - log pi_ref(y|x)
 * in nats, summed over the tokens of the answer:
 *
 *     margin = r_w - r_l
 *     loss   = (margin - 1/(2 tau))^2
 *
 * which pulls the margin to 1/(2 tau) and, unlike a logistic loss, back when it is beyond.
 * Source: Azar et al. 2023, arXiv:2310.12036, equation 17.  Change the loss and its two
 * derivatives together; the unit test compares them by finite differences.
 */
#include <stdlib.h>
#include "spar_plugin.h"

typedef struct { double tau; } objective;

/* Spar prints these options, parses what the user types and checks it; see `create`. */
static const spar_param params[] = {{
    .struct_size = sizeof(spar_param), .name = "tau", .type = SPAR_T_FLOAT, .unit = "1/nat",
    .doc = "pull towards the reference: the margin aimed at is 1/(2 tau)",
    .default_text = "0.1", .min = 1e-6, .max = 100, .flags = SPAR_P_RANGE}};

/* Each is shown as metric_sum / metric_weight of the whole step. */
static const char *const metrics[] = {"margin", "accuracy", NULL};

static spar_status create(const spar_host *host, const spar_create_info *info, void **self) {
  spar_create_info i;
  spar_adopt(&i, sizeof i, info); /* structs may grow: copied, never read in place */
  if (!i.values || i.n_values < 1 || !(i.values[0].f > 0)) {
    host->set_error(host, "@NAME@: tau must be positive");
    return SPAR_E_INVALID;
  }
  objective *me = malloc(sizeof *me);
  if (!me) {
    host->set_error(host, "@NAME@: out of memory");
    return SPAR_E_NOMEM;
  }
  me->tau = i.values[0].f; /* in the order of `params` */
  *self = me;
  return SPAR_OK;
}

/* Loss of one pair and its derivative by the margin. */
static double pair_loss(double tau, double margin, double *slope) {
  const double miss = margin - 0.5 / tau;
  *slope = 2 * miss;
  return miss * miss;
}

/* Rows are grouped by prompt; label is +1 for chosen, -1 for rejected, 0 for the rest. */
static spar_status evaluate(void *self, spar_objective_batch *batch) {
  const objective *me = self;
  spar_objective_batch b;
  spar_adopt(&b, sizeof b, batch);
  for (int64_t g = 0; g < b.n_groups; g++)
    for (int64_t w = b.begin[g]; w < b.begin[g + 1]; w++)
      for (int64_t l = b.begin[g]; b.label[w] > 0 && l < b.begin[g + 1]; l++) {
        if (b.label[l] >= 0) continue;
        const double margin = (b.logp[w] - b.ref_logp[w]) - (b.logp[l] - b.ref_logp[l]);
        double slope;
        b.loss[w] += pair_loss(me->tau, margin, &slope); /* Spar divides by the step's pairs */
        b.dlogp[w] += slope;
        b.dlogp[l] -= slope;
        b.metric_sum[0] += margin, b.metric_weight[0] += 1;
        b.metric_sum[1] += margin > 0, b.metric_weight[1] += 1;
      }
  return SPAR_OK;
}

static const spar_objective_api api = {
    .struct_size = sizeof api, .needs = SPAR_OBJ_REFERENCE, .metric_names = metrics,
    .evaluate = evaluate};
static const spar_component components[] = {{
    .struct_size = sizeof(spar_component), .kind = SPAR_KIND_OBJECTIVE, .id = "@NAME@",
    .name = "@NAME@", .doc = "squared distance of the log-ratio margin from 1/(2 tau)",
    .params = params, .n_params = 1, .create = create, .destroy = free, .api = &api}};
static const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION,
    .revision = SPAR_ABI_REVISION, .id = "plugin.@NAME@", .name = "@NAME@", .version = "0.1.0",
    .vendor = "@AUTHOR@", .license = "@LICENSE@", .components = components, .n_components = 1};

const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
