// @NAME@: an objective for Spar.
//
// For a chosen answer w and a rejected answer l of one prompt, with r = log pi(y|x) - log pi_ref(y|x)
// in nats, summed over the tokens of the answer:
//
//     margin = r_w - r_l
//     loss   = (margin - 1/(2 tau))^2
//
// which pulls the margin to 1/(2 tau) and, unlike a logistic loss, back when it is beyond.
// Source: Azar et al. 2023, arXiv:2310.12036, equation 17.  Change the loss and its derivative
// together; the unit test compares them by finite differences.
#include <stdexcept>

#include "guarded.hpp"

namespace {

class Objective {
 public:
  Objective(const spar_host *host, double tau) : host(host), tau(tau) {
    if (!(tau > 0)) throw std::invalid_argument("@NAME@: tau must be positive");
  }

  // Rows are grouped by prompt; label is +1 for chosen, -1 for rejected, 0 for the rest.
  void evaluate(const spar_objective_batch &b) const {
    for (int64_t g = 0; g < b.n_groups; g++)
      for (int64_t w = b.begin[g]; w < b.begin[g + 1]; w++)
        for (int64_t l = b.begin[g]; b.label[w] > 0 && l < b.begin[g + 1]; l++)
          if (b.label[l] < 0) addPair(b, w, l);
  }

  const spar_host *const host;

 private:
  void addPair(const spar_objective_batch &b, int64_t w, int64_t l) const {
    const double margin = (b.logp[w] - b.ref_logp[w]) - (b.logp[l] - b.ref_logp[l]);
    const double miss = margin - 0.5 / tau;
    b.loss[w] += miss * miss;  // Spar divides by the step's pairs
    b.dlogp[w] += 2 * miss;
    b.dlogp[l] -= 2 * miss;
    b.metric_sum[0] += margin, b.metric_weight[0] += 1;
    b.metric_sum[1] += margin > 0, b.metric_weight[1] += 1;
  }

  const double tau;
};

// Spar prints these options, parses what the user types and checks it; see `create`.
const spar_param params[] = {{
    .struct_size = sizeof(spar_param), .name = "tau",
    .doc = "pull towards the reference: the margin aimed at is 1/(2 tau)", .unit = "1/nat",
    .default_text = "0.1", .choices = nullptr, .min = 1e-6, .max = 100, .type = SPAR_T_FLOAT,
    .flags = SPAR_P_RANGE}};

// Each is shown as metric_sum / metric_weight of the whole step.
const char *const metrics[] = {"margin", "accuracy", nullptr};

spar_status create(const spar_host *host, const spar_create_info *info, void **self) {
  return guarded(host, [&] {
    const spar_create_info i = adopt(info);
    if (!i.values || i.n_values < 1) throw std::invalid_argument("@NAME@: tau is missing");
    *self = new Objective(host, i.values[0].f);  // in the order of `params`
  });
}

void destroy(void *self) { delete static_cast<Objective *>(self); }

spar_status evaluate(void *self, spar_objective_batch *batch) {
  const auto *me = static_cast<const Objective *>(self);
  return guarded(me->host, [&] { me->evaluate(adopt(batch)); });
}

const spar_objective_api api = {
    .struct_size = sizeof api, .needs = SPAR_OBJ_REFERENCE, .metric_names = metrics,
    .evaluate = evaluate, .select = nullptr};
const spar_component component = {
    .struct_size = sizeof component, .kind = SPAR_KIND_OBJECTIVE, .flags = 0, .id = "@NAME@",
    .name = "@NAME@", .doc = "squared distance of the log-ratio margin from 1/(2 tau)",
    .params = params, .n_params = 1, .probe = nullptr, .create = create, .destroy = destroy,
    .api = &api, .extension = nullptr};
const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION,
    .revision = SPAR_ABI_REVISION, .id = "plugin.@NAME@", .name = "@NAME@", .version = "0.1.0",
    .vendor = "@AUTHOR@", .license = "@LICENSE@", .url = nullptr, .components = &component,
    .n_components = 1, .init = nullptr, .shutdown = nullptr};

}  // namespace

extern "C" const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
