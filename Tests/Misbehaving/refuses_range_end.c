/* Announces a range of which it takes only the inside. */
#include "honest.h"

static const spar_param params[] = {{
  .struct_size = sizeof(spar_param), .name = "beta", .doc = "Slope.", .default_text = "0.1",
  .min = 0, .max = 1, .type = SPAR_T_FLOAT, .flags = SPAR_P_RANGE}};

static spar_status create(const spar_host *h, const spar_create_info *raw, void **self) {
  spar_create_info info;
  spar_adopt(&info, sizeof info, raw);
  if (info.n_values < 1 || !(info.values[0].f > 0)) {
    h->set_error(h, "beta must be above 0");
    return SPAR_E_INVALID;
  }
  return honest_create(h, raw, self);
}

OBJECTIVE(create, honest_destroy, honest_evaluate) {
  static spar_component own;
  static spar_plugin other;
  own = components[0];
  own.params = params;
  own.n_params = 1;
  other = plugin;
  other.components = &own;
  return &other;
}
