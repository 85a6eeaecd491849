/*
 * The `openblas` compute backend: float32 on a team of threads.  Products are OpenBLAS' where the
 * processor has no wide vectors, or on request; else SIMD kernels of its own, which keep a row's
 * bits independent of its batch and do not pack the weights.
 */
#include "blas.h"

enum { OPTION_THREADS, OPTION_KERNELS, OPTION_PRODUCTS };

static const char *const kernel_choices[] = {"auto", "avx512", "avx2", "portable", NULL};
static const char *const product_choices[] = {"auto", "own", "openblas", "int8", NULL};
enum { PRODUCTS_AUTO, PRODUCTS_OWN, PRODUCTS_OPENBLAS, PRODUCTS_INT8 };

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
                              "the batch) or OpenBLAS; auto takes the faster.  int8: own, and x and "
                              "weights rounded to 8 bits in y = x W^T: faster, not exact.",
                       .default_text = "auto", .choices = product_choices, .type = SPAR_T_ENUM,
                       .flags = SPAR_P_ADVANCED},
};

static spar_status probe(const spar_host *h, int32_t *score) {
  (void)h;
  *score = spar_kernels_for(NULL)->lanes >= 8 ? 300 : 200;
  return SPAR_OK;
}

static void destroy(void *p) {
  spar_cpu *self = p;
  const spar_host *h = self->host;
  spar_team_destroy(self->team);
  spar_cpu_release(self);
  h->free(h, self, sizeof *self, 64);
}

static spar_status create(const spar_host *h, const spar_create_info *raw, void **out) {
  spar_create_info info;
  spar_adopt(&info, sizeof info, raw);
  const spar_value *v = info.values;
  const int64_t wished = info.n_values > OPTION_THREADS ? v[OPTION_THREADS].i : 0;
  const int64_t kernels = info.n_values > OPTION_KERNELS ? v[OPTION_KERNELS].i : 0;
  const int64_t products = info.n_values > OPTION_PRODUCTS ? v[OPTION_PRODUCTS].i : 0;
  if (kernels < 0 || kernels > 3 || products < 0 || products > PRODUCTS_INT8) {
    h->set_error(h, "openblas: option value out of range");
    return SPAR_E_INVALID;
  }
  const spar_kernels *chosen = spar_kernels_for(kernel_choices[kernels]);
  blas_sgemm sgemm = NULL;
  if (products == PRODUCTS_OPENBLAS || (products == PRODUCTS_AUTO && chosen->lanes < 8))
    sgemm = load_openblas();
  if (products == PRODUCTS_OPENBLAS && !sgemm) {
    h->set_error(h, "openblas: libopenblas.so.0 cannot be loaded; install libopenblas0 or set "
                    "products to own");
    return SPAR_E_IO;
  }
  const spar_int8_kernels *int8 = products == PRODUCTS_INT8 ? spar_int8_kernels_here() : NULL;
  if (products == PRODUCTS_INT8 && !int8) {
    h->set_error(h, "openblas: products=int8 needs a processor with AVX-512 VNNI; set own");
    return SPAR_E_INVALID;
  }
  spar_cpu *self = h->alloc(h, sizeof *self, 64);
  if (!self) {
    h->set_error(h, "openblas: no memory for the instance");
    return SPAR_E_NOMEM;
  }
  const int64_t budget = info.threads > 0 ? info.threads : h->thread_count(h);
  const int64_t threads = wished > 0 ? wished : budget;
  spar_team *team = spar_team_create((int32_t)(threads > 1 ? threads : 1));
  if (!team) {
    h->set_error(h, "openblas: cannot start the threads; ask for fewer");
    h->free(h, self, sizeof *self, 64);
    return SPAR_E_NOMEM;
  }
  if (spar_cpu_init(self, h, "openblas", chosen, team, sgemm) != SPAR_OK) {
    destroy(self);
    return SPAR_E_NOMEM;
  }
  self->int8 = int8;
  *out = self;
  return SPAR_OK;
}

static const spar_backend_api api = {
  .struct_size = sizeof(spar_backend_api),
  .flags = SPAR_BE_OWN_THREADS | SPAR_BE_DETERMINISTIC,
  .gemm = spar_cpu_gemm,
  .attention = spar_cpu_attention,
  .attention_bwd = spar_cpu_attention_bwd,
  .norm = spar_cpu_norm,
  .norm_bwd = spar_cpu_norm_bwd,
  .rope = spar_cpu_rope,
  .softmax = spar_cpu_softmax,
  .softmax_bwd = spar_cpu_softmax_bwd,
  .activation = spar_cpu_activation,
  .activation_bwd = spar_cpu_activation_bwd,
  .embed = spar_cpu_embed,
  .embed_bwd = spar_cpu_embed_bwd,
  .logp = spar_cpu_logp,
  .logp_bwd = spar_cpu_logp_bwd,
  .binary = spar_cpu_binary,
  .reduce = spar_cpu_reduce,
  .copy = spar_cpu_copy,
  .fill = spar_cpu_fill,
  .linear_logp = spar_cpu_linear_logp,
  .linear_logp_bwd = spar_cpu_linear_logp_bwd,
  .optimizer = spar_cpu_optimizer,
  .rel_attention = spar_cpu_rel_attention,
  .rel_attention_bwd = spar_cpu_rel_attention_bwd,
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
