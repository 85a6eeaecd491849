/* The derivatives against finite differences, on a step of two prompts. */
#include <math.h>
#include "test_host.h"

enum { ROWS = 5 };
static const int64_t begin[] = {0, 3, 5};
static const int8_t label[ROWS] = {1, 0, -1, -1, 1};
static const int64_t tokens[ROWS] = {4, 1, 7, 2, 3};
static const double reference[ROWS] = {-12.0, -3.0, -20.5, -6.0, -9.0};

/* The sum of the losses at `logp`; the derivatives go to `dlogp` [ROWS]. */
static double total(const spar_component *c, void *self, const double *logp, double *dlogp) {
  double loss[ROWS] = {0}, sum[2] = {0}, weight[2] = {0};
  memset(dlogp, 0, sizeof(double) * ROWS);
  spar_objective_batch b = {
      .struct_size = sizeof b, .n = ROWS, .n_groups = 2, .begin = begin, .logp = logp,
      .ref_logp = reference, .n_tokens = tokens, .label = label, .step_pairs = 2,
      .step_answers = 4, .step_tokens = 16, .loss = loss, .dlogp = dlogp, .metric_sum = sum,
      .metric_weight = weight};
  const spar_objective_api *api = c->api;
  CHECK(api->evaluate(self, &b) == SPAR_OK, "evaluate failed");
  CHECK(weight[0] == 2, "%g pairs were counted, not 2", weight[0]);
  double result = 0;
  for (int i = 0; i < ROWS; i++) result += loss[i];
  return result;
}

int main(void) {
  const spar_host host = test_host();
  const spar_value tau = {.f = 0.25, .s = "0.25", .type = SPAR_T_FLOAT};
  void *self = NULL;
  const spar_component *c = test_create(&host, &tau, 1, &self);

  double logp[ROWS] = {-11.0, -3.5, -21.0, -6.5, -8.0}, slope[ROWS], ignored[ROWS];
  /* By hand: margins 1.5 and 1.5 against 1/(2 tau) = 2, twice 0.5 squared. */
  const double loss = total(c, self, logp, slope);
  CHECK(fabs(loss - 0.5) < 1e-12, "the loss is %g, not 0.5", loss);
  for (int i = 0; i < ROWS; i++) {
    const double at = logp[i], h = 1e-5;
    logp[i] = at + h;
    const double above = total(c, self, logp, ignored);
    logp[i] = at - h;
    const double below = total(c, self, logp, ignored);
    logp[i] = at;
    const double measured = (above - below) / (2 * h);
    CHECK(fabs(measured - slope[i]) < 1e-6, "row %d: derivative %g, measured %g", i, slope[i],
          measured);
  }
  c->destroy(self);
  return test_end();
}
