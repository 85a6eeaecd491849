/*
 * The `openblas` compute backend: float32 on a team of threads.  Products are OpenBLAS' where the
 * processor has no wide vectors, or on request; else SIMD kernels of its own, which keep a row's
 * bits independent of its batch and do not pack the weights.
 */
#include "backend.h"

enum { OPTION_THREADS, OPTION_KERNELS, OPTION_PRODUCTS };

static const char *const kernel_choices[] = {"auto", "avx512", "avx2", "portable", NULL};
static const char *const product_choices[] = {"auto", "own", "openblas", NULL};

static const spar_param params[] = {
  [OPTION_THREADS] = {.struct_size = sizeof(spar_param), .name = "threads",
                      .doc = "Threads to compute on; 0 takes the host's budget.",
                      .unit = "threads", .default_text = "0", .min = 0, .max = 1024,
                      .type = SPAR_T_INT, .flags = SPAR_P_RANGE},
  [OPTION_KERNELS] = {.struct_size = sizeof(spar_param), .name = "kernels",
                      .doc = "Instruction set; one the processor lacks gives the next smaller.",
                      .default_text = "auto", .choices = kernel_choices, .type = SPAR_T_ENUM,
                      .flags = SPAR_P_ADVANCED},
  [OPTION_PRODUCTS] = {.struct_size = sizeof(spar_param), .name = "products",
                       .doc = "Who multiplies matrices: own kernels (row bits do not depend on "
                              "the batch) or OpenBLAS; auto takes the faster.",
                       .default_text = "auto", .choices = product_choices, .type = SPAR_T_ENUM,
                       .flags = SPAR_P_ADVANCED},
};

static spar_status probe(const spar_host *h, int32_t *score) {
  (void)h;
  *score = spar_kernels_for(NULL)->lanes >= 8 ? 300 : 200;
  return SPAR_OK;
}

static void destroy(void *p) {
  backend *self = p;
  const spar_host *h = self->host;
  spar_team_destroy(self->team);
  for (int32_t i = 0; i < SLOT_COUNT; i++)
    if (self->shared[i].p) h->free(h, self->shared[i].p, self->shared[i].bytes, 64);
  if (self->local) {
    for (int32_t i = 0; i < self->threads; i++)
      if (self->local[i].p) h->free(h, self->local[i].p, self->local[i].bytes, 64);
    h->free(h, self->local, sizeof(memory) * (uint64_t)self->threads, 64);
  }
  h->free(h, self, sizeof *self, 64);
}

static spar_status create(const spar_host *h, const spar_create_info *raw, void **out) {
  spar_create_info info;
  spar_adopt(&info, sizeof info, raw);
  const spar_value *v = info.values;
  const int64_t wished = info.n_values > OPTION_THREADS ? v[OPTION_THREADS].i : 0;
  const int64_t kernels = info.n_values > OPTION_KERNELS ? v[OPTION_KERNELS].i : 0;
  const int64_t products = info.n_values > OPTION_PRODUCTS ? v[OPTION_PRODUCTS].i : 0;
  if (kernels < 0 || kernels > 3 || products < 0 || products > 2) {
    h->set_error(h, "openblas: option value out of range");
    return SPAR_E_INVALID;
  }
  backend *self = h->alloc(h, sizeof *self, 64);
  if (!self) {
    h->set_error(h, "openblas: no memory for the instance");
    return SPAR_E_NOMEM;
  }
  memset(self, 0, sizeof *self);
  self->host = h;
  self->kernels = spar_kernels_for(kernel_choices[kernels]);
  if (products == 2 || (products == 0 && self->kernels->lanes < 8)) self->sgemm = load_openblas();
  const int64_t budget = info.threads > 0 ? info.threads : h->thread_count(h);
  self->threads = (int32_t)most(1, wished > 0 ? wished : budget);
  self->local = h->alloc(h, sizeof(memory) * (uint64_t)self->threads, 64);
  self->team = spar_team_create(self->threads);
  if (!self->local || !self->team) {
    h->set_error(h, "openblas: cannot start the threads; ask for fewer");
    if (self->local) memset(self->local, 0, sizeof(memory) * (uint64_t)self->threads);
    destroy(self);
    return SPAR_E_NOMEM;
  }
  memset(self->local, 0, sizeof(memory) * (uint64_t)self->threads);
  if (products == 2 && !self->sgemm) {
    h->set_error(h, "openblas: libopenblas.so.0 cannot be loaded; install libopenblas0 or set "
                    "products to own");
    destroy(self);
    return SPAR_E_IO;
  }
  *out = self;
  return SPAR_OK;
}

static const spar_backend_api api = {
  .struct_size = sizeof(spar_backend_api),
  .flags = SPAR_BE_OWN_THREADS | SPAR_BE_DETERMINISTIC,
  .gemm = openblas_gemm,
  .attention = openblas_attention,
  .attention_bwd = openblas_attention_bwd,
  .norm = openblas_norm,
  .norm_bwd = openblas_norm_bwd,
  .rope = openblas_rope,
  .softmax = openblas_softmax,
  .softmax_bwd = openblas_softmax_bwd,
  .activation = openblas_activation,
  .activation_bwd = openblas_activation_bwd,
  .embed = openblas_embed,
  .embed_bwd = openblas_embed_bwd,
  .logp = openblas_logp,
  .logp_bwd = openblas_logp_bwd,
  .binary = openblas_binary,
  .reduce = openblas_reduce,
  .copy = openblas_copy,
  .fill = openblas_fill,
  .linear_logp = openblas_linear_logp,
  .linear_logp_bwd = openblas_linear_logp_bwd,
  .optimizer = openblas_optimizer,
};

static const spar_component component = {
  .struct_size = sizeof(spar_component),
  .kind = SPAR_KIND_BACKEND,
  .id = "openblas",
  .name = "OpenBLAS and SIMD kernels",
  .doc = "CPU backend: AVX-512, AVX2 or portable kernels on its own threads, and OpenBLAS.",
  .params = params,
  .n_params = sizeof params / sizeof params[0],
  .probe = probe,
  .create = create,
  .destroy = destroy,
  .api = &api,
};

static const spar_plugin plugin = {
  .struct_size = sizeof(spar_plugin),
  .generation = SPAR_ABI_GENERATION,
  .revision = SPAR_ABI_REVISION,
  .id = "org.spar.openblas",
  .name = "OpenBLAS backend",
  .version = "1.0.0",
  .vendor = "Spar",
  .license = "Apache-2.0",
  .components = &component,
  .n_components = 1,
};

const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
