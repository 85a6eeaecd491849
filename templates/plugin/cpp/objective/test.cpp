// The derivatives against finite differences, on a step of two prompts.
#include <array>
#include <cmath>
#include <numeric>

#include "test_host.h"

using Rows = std::array<double, 5>;
static const int64_t begin[] = {0, 3, 5};
static const int8_t label[] = {1, 0, -1, -1, 1};
static const int64_t tokens[] = {4, 1, 7, 2, 3};
static const Rows reference = {-12.0, -3.0, -20.5, -6.0, -9.0};

// The sum of the losses at `logp`, and the derivatives.
static std::pair<double, Rows> total(const spar_component *c, void *self, const Rows &logp) {
  Rows loss{}, dlogp{};
  double sum[2] = {}, weight[2] = {};
  spar_objective_batch b{};
  b.struct_size = sizeof b, b.n = 5, b.n_groups = 2, b.begin = begin;
  b.logp = logp.data(), b.ref_logp = reference.data(), b.n_tokens = tokens, b.label = label;
  b.step_pairs = 2, b.step_answers = 4, b.step_tokens = 16;
  b.loss = loss.data(), b.dlogp = dlogp.data(), b.metric_sum = sum, b.metric_weight = weight;
  const auto *api = static_cast<const spar_objective_api *>(c->api);
  CHECK(api->evaluate(self, &b) == SPAR_OK, "evaluate failed");
  CHECK(weight[0] == 2, "%g pairs were counted, not 2", weight[0]);
  return {std::accumulate(loss.begin(), loss.end(), 0.0), dlogp};
}

int main() {
  const spar_host host = test_host();
  spar_value tau{};
  tau.f = 0.25, tau.s = "0.25", tau.type = SPAR_T_FLOAT;
  void *self = nullptr;
  const spar_component *c = test_create(&host, &tau, 1, &self);

  const Rows logp = {-11.0, -3.5, -21.0, -6.5, -8.0};
  const auto [loss, slope] = total(c, self, logp);
  // By hand: margins 1.5 and 1.5 against 1/(2 tau) = 2, twice 0.5 squared.
  CHECK(std::abs(loss - 0.5) < 1e-12, "the loss is %g, not 0.5", loss);
  for (size_t i = 0; i < logp.size(); i++) {
    const double h = 1e-5;
    Rows above = logp, below = logp;
    above[i] += h, below[i] -= h;
    const double measured =
        (total(c, self, above).first - total(c, self, below).first) / (2 * h);
    CHECK(std::abs(measured - slope[i]) < 1e-6, "row %zu: derivative %g, measured %g", i, slope[i],
          measured);
  }

  void *none = nullptr;
  tau.f = -1;
  spar_create_info info{};
  info.struct_size = sizeof info, info.values = &tau, info.n_values = 1;
  CHECK(c->create(&host, &info, &none) == SPAR_E_INVALID && !none, "tau = -1 was taken");
  c->destroy(self);
  return test_end();
}
