/*
 * @NAME@: a compute backend for Spar.
 *
 * It has one operation, the product of two float32 matrices, in plain tiled loops on the host's
 * threads.  All that it leaves out or answers SPAR_UNSUPPORTED to, Spar computes itself, from this
 * product where it can.  Make `slice` fast first, then add operations to the table at the end.
 */
#include <stdlib.h>
#include "spar_plugin.h"

enum { ROWS = 16, COLUMNS = 64, DEPTH = 128 }; /* a tile of B [DEPTH, COLUMNS] fits the L1 cache */

typedef struct { const spar_host *host; } backend;

/* One product as the slices see it.  a(i, p) = a[i * a_row + p * a_column], b likewise. */
typedef struct {
  const float *a, *b, *bias;
  float *c;
  int64_t n, k, a_row, a_column, b_row, b_column, c_row;
  float alpha, beta;
} product;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows [begin, end) of C; at most ROWS of them.  Each cell is summed in the same order whatever
 * the thread count, hence SPAR_BE_DETERMINISTIC. */
static void slice(void *arg, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  const product *m = arg;
  float tile[DEPTH][COLUMNS], sum[ROWS][COLUMNS];
  for (int64_t j0 = 0; j0 < m->n; j0 += COLUMNS) {
    const int64_t width = least(COLUMNS, m->n - j0);
    memset(sum, 0, sizeof sum);
    memset(tile, 0, sizeof tile); /* columns beyond `width` are computed, never stored */
    for (int64_t p0 = 0; p0 < m->k; p0 += DEPTH) {
      const int64_t depth = least(DEPTH, m->k - p0);
      for (int64_t j = 0; j < width; j++)
        for (int64_t p = 0; p < depth; p++)
          tile[p][j] = m->b[(p0 + p) * m->b_row + (j0 + j) * m->b_column];
      for (int64_t i = begin; i < end; i++)
        for (int64_t p = 0; p < depth; p++) {
          const float a = m->a[i * m->a_row + (p0 + p) * m->a_column];
          for (int64_t j = 0; j < COLUMNS; j++) sum[i - begin][j] += a * tile[p][j];
        }
    }
    for (int64_t i = begin; i < end; i++)
      for (int64_t j = 0; j < width; j++) {
        float *c = &m->c[i * m->c_row + j0 + j];
        float value = m->alpha * sum[i - begin][j];
        if (m->beta != 0) value += m->beta * *c; /* beta 0: C is not read, it may hold NaN */
        if (m->bias) value += m->bias[j0 + j];
        *c = value;
      }
  }
}

static int plain(const spar_tensor *t, int32_t rank) {
  return t->dtype == SPAR_F32 && t->rank == rank && t->data != NULL;
}

/* C = alpha op(A) op(B) + beta C + bias. */
static spar_status gemm(void *self, const spar_gemm_args *args) {
  const backend *me = self;
  spar_gemm_args g;
  spar_adopt(&g, sizeof g, args);
  if (!plain(g.a, 2) || !plain(g.b, 2) || !plain(g.c, 2) || (g.bias && !plain(g.bias, 1)))
    return SPAR_UNSUPPORTED;
  const int ta = (g.flags & SPAR_TRANS_A) != 0, tb = (g.flags & SPAR_TRANS_B) != 0;
  product m = {
      .a = g.a->data, .b = g.b->data, .bias = g.bias ? g.bias->data : NULL, .c = g.c->data,
      .n = g.c->shape[1], .k = g.a->shape[ta ? 0 : 1],
      .a_row = g.a->stride[ta ? 1 : 0], .a_column = g.a->stride[ta ? 0 : 1],
      .b_row = g.b->stride[tb ? 1 : 0], .b_column = g.b->stride[tb ? 0 : 1],
      .c_row = g.c->stride[0], .alpha = (float)g.alpha, .beta = (float)g.beta};
  const int64_t rows = g.c->shape[0];
  if (g.a->shape[ta ? 1 : 0] != rows || g.b->shape[tb ? 1 : 0] != m.k ||
      g.b->shape[tb ? 0 : 1] != m.n || (g.bias && g.bias->shape[0] != m.n)) {
    me->host->set_error(me->host, "@NAME@: gemm: the shapes do not fit");
    return SPAR_E_INVALID;
  }
  me->host->parallel_for(me->host, rows, ROWS, slice, &m);
  return SPAR_OK;
}

/* 100 is a portable baseline: below the backends that come with Spar, above what cannot run. */
static spar_status probe(const spar_host *host, int32_t *score) {
  (void)host;
  *score = 100;
  return SPAR_OK;
}

static spar_status create(const spar_host *host, const spar_create_info *info, void **self) {
  (void)info; /* no options */
  backend *me = malloc(sizeof *me);
  if (!me) {
    host->set_error(host, "@NAME@: out of memory");
    return SPAR_E_NOMEM;
  }
  me->host = host;
  *self = me;
  return SPAR_OK;
}

static const spar_backend_api api = {
    .struct_size = sizeof api, .flags = SPAR_BE_DETERMINISTIC, .gemm = gemm};
static const spar_component components[] = {{
    .struct_size = sizeof(spar_component), .kind = SPAR_KIND_BACKEND, .id = "@NAME@",
    .name = "@NAME@", .doc = "float32 products in plain tiled loops", .probe = probe,
    .create = create, .destroy = free, .api = &api}};
static const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION,
    .revision = SPAR_ABI_REVISION, .id = "plugin.@NAME@", .name = "@NAME@", .version = "0.1.0",
    .vendor = "@AUTHOR@", .license = "@LICENSE@", .components = components, .n_components = 1};

const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
