// The `onednn` backend's card: what it is called, what can be set, which operations it has.
#include "onednn.hpp"

namespace {

spar_param option() {
  spar_param p = {};
  p.struct_size = sizeof p;
  p.name = "primitives";
  p.doc = "Compiled products to keep; when they are more, the cache starts afresh.";
  p.unit = "primitives";
  p.default_text = "1024";
  p.min = 16;
  p.max = 1 << 20;
  p.type = SPAR_T_INT;
  p.flags = SPAR_P_RANGE | SPAR_P_ADVANCED;
  return p;
}
const spar_param params[] = {option()};

spar_status create(const spar_host *host, const spar_create_info *raw, void **self) {
  return guarded(host, [&]() -> spar_status {
    const auto info = adopted(raw);
    // One value per option, in the order of `params`, defaults filled in, range checked.
    const int64_t primitives = info.n_values > 0 ? info.values[0].i : 1024;
    if (primitives < 16) throw std::invalid_argument("onednn: primitives must be at least 16");
    *self = new Backend(host, static_cast<size_t>(primitives));
    return SPAR_OK;
  });
}

void destroy(void *self) { delete static_cast<Backend *>(self); }

// The pointers that stay NULL are the host's: it composes attention and log-probabilities from
// this gemm and has loops for the rest.
spar_backend_api operations() {
  spar_backend_api api = {};
  api.struct_size = sizeof api;
  api.flags = SPAR_BE_DETERMINISTIC; // tiles depend on shapes, each is computed by one thread
  api.gemm = gemm;
  api.activation = activation;
  return api;
}
const spar_backend_api api = operations();

spar_component describe_component() {
  spar_component c = {};
  c.struct_size = sizeof c;
  c.kind = SPAR_KIND_BACKEND;
  c.id = "onednn";
  c.name = "oneDNN";
  c.doc = "CPU backend: products and activations by oneDNN, the rest by the host.";
  c.params = params;
  c.n_params = sizeof params / sizeof params[0];
  c.create = create;
  c.destroy = destroy;
  c.api = &api;
  return c;
}
const spar_component component = describe_component();

spar_plugin describe() {
  spar_plugin p = {};
  p.struct_size = sizeof p;
  p.generation = SPAR_ABI_GENERATION;
  p.revision = SPAR_ABI_REVISION;
  p.id = "org.example.onednn";
  p.name = "oneDNN backend";
  p.version = "1.0.0";
  p.vendor = "you";
  p.license = "Apache-2.0";
  p.url = "";
  p.components = &component;
  p.n_components = 1;
  return p;
}
const spar_plugin plugin = describe();

} // namespace

extern "C" const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
