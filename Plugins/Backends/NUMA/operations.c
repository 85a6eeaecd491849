/*
 * The operations that a weight's or a cache's home decides.  All others run on all threads as one
 * team, whose loops give each node a contiguous share of rows, slices of the vocabulary or
 * elements: the same shares as memory.c makes.
 */
#define _GNU_SOURCE
#include "numa_backend.h"

/* Rows of W are cut at multiples of this: of every tile, and of one cache line of outputs. */
enum { ROW_STEP = 32 };

void numa_steer(const numa_backend *self) {
  const int core = sched_getcpu();
  if (!self->teams || core < 0 || CPU_ISSET((size_t)core, &self->map.node[0].cores)) return;
  cpu_set_t before;
  if (sched_getaffinity(0, sizeof before, &before) != 0) return;
  /* The host's thread keeps the right to run anywhere; it tends to stay where it now goes. */
  if (sched_setaffinity(0, sizeof before, &self->map.node[0].cores) == 0)
    sched_setaffinity(0, sizeof before, &before);
}

static int is_matrix(const spar_tensor *t) {
  return t && t->rank == 2 && t->dtype == SPAR_F32 && t->data;
}

/* Cuts n rows (or columns) at bounds[0...count]: rows where the memory of their owner is cut, if
 * that leaves everyone work, else in proportion to threads. */
static void cut_rows(const numa_backend *self, const spar_tensor *owner, int columns, int64_t n,
                     int64_t *bounds) {
  const int32_t count = self->map.count;
  const placed *home = owner->buffer;
  const uint64_t row = (uint64_t)owner->stride[0] * 4;
  const int homed = !columns && home && row && self->placement == PLACE_SPLIT && home->round == home->bytes;
  for (int pass = homed ? 0 : 1; pass < 2; pass++) {
    bounds[0] = 0;
    bounds[count] = n;
    for (int32_t i = 1; i < count; i++) {
      int64_t cut = n * self->first[i] / self->first[count];
      if (pass == 0) {
        const int64_t bytes = (int64_t)home->share[i] - (int64_t)owner->offset;
        cut = bytes > 0 ? bytes / (int64_t)row : 0;
      }
      cut = (cut + ROW_STEP / 2) / ROW_STEP * ROW_STEP;
      bounds[i] = cut > n ? n : cut < bounds[i - 1] ? bounds[i - 1] : cut;
    }
    if (pass) return;
    /* A view of a few rows may lie on one node: then reading far is better than idling. */
    int fair = 1;
    for (int32_t i = 0; i < count; i++)
      fair = fair && (bounds[i + 1] - bounds[i] - ROW_STEP) * self->first[count] <=
                       (int64_t)self->map.node[i].threads * n * 3 / 2;
    if (fair) return;
  }
}

typedef struct gemm_job {
  numa_backend *self;
  const spar_gemm_args *args;
  int32_t has_copies;
  const float *copies[MAX_NODES]; /* of B */
  int64_t bounds[MAX_NODES + 1];
  spar_status status[MAX_NODES];
} gemm_job;

/* Columns [begin, end) of C, by rows of B (y = x W^T) or columns of B (dx = dy W); or rows of C by
 * columns of A (dW = dy^T x). */
static void gemm_share(void *arg, int32_t node) {
  gemm_job *j = arg;
  const int64_t begin = j->bounds[node], n = j->bounds[node + 1] - begin;
  if (n == 0) return;
  spar_gemm_args a = *j->args;
  spar_tensor A = *a.a, B = *a.b, C = *a.c, bias;
  if (j->has_copies) B.data = (void *)(uintptr_t)j->copies[node];
  if (a.flags & SPAR_TRANS_A) {
    A.data = (float *)A.data + begin;
    A.shape[1] = C.shape[0] = n;
    C.data = (float *)C.data + begin * C.stride[0];
  } else {
    const int by_rows = !!(a.flags & SPAR_TRANS_B);
    B.data = (float *)B.data + begin * (by_rows ? B.stride[0] : 1);
    B.shape[by_rows ? 0 : 1] = C.shape[1] = n;
    C.data = (float *)C.data + begin;
    if (a.bias) {
      bias = *a.bias;
      bias.data = (float *)bias.data + begin;
      bias.shape[0] = n;
      a.bias = &bias;
    }
  }
  a.a = &A;
  a.b = &B;
  a.c = &C;
  j->status[node] = spar_cpu_gemm(&j->self->node[node], &a);
}

/* Shapes agree; what does not fit is reported by the operation as a whole. */
static int gemm_fits(const spar_gemm_args *a, int ta, int tb) {
  return is_matrix(a->a) && is_matrix(a->b) && is_matrix(a->c) && !(ta && (tb || a->bias)) &&
         (!a->bias || (a->bias->dtype == SPAR_F32 && a->bias->data)) &&
         a->a->shape[ta] == a->c->shape[0] && a->b->shape[!tb] == a->c->shape[1] &&
         a->a->shape[!ta] == a->b->shape[tb];
}

spar_status numa_gemm(void *me, const spar_gemm_args *raw) {
  numa_backend *self = me;
  numa_steer(self);
  gemm_job j = {.self = self};
  spar_gemm_args a;
  spar_adopt(&a, sizeof a, raw);
  a.struct_size = sizeof a;
  const int ta = !!(a.flags & SPAR_TRANS_A), tb = !!(a.flags & SPAR_TRANS_B);
  if (!self->teams) return spar_cpu_gemm(&self->all, raw);
  numa_wrote(a.c);
  if (!gemm_fits(&a, ta, tb)) return spar_cpu_gemm(&self->all, raw);
  const int64_t n = a.c->shape[ta ? 0 : 1];
  if (n < 2 * ROW_STEP * self->map.count) return spar_cpu_gemm(&self->all, raw);
  if (!ta) j.has_copies = numa_copies(self, a.b, j.copies);
  /* dx = dy W as one loop gives each node columns of W too, and needs no copies for that. */
  if (!ta && !tb && !j.has_copies) return spar_cpu_gemm(&self->all, raw);
  cut_rows(self, ta ? a.c : a.b, !ta && !tb, n, j.bounds);
  j.args = &a;
  spar_teams_each(self->teams, gemm_share, &j);
  for (int32_t i = 0; i < self->map.count; i++)
    if (j.status[i] != SPAR_OK) {
      self->host->set_error(self->host, "numa: no memory for scratch; use smaller batches");
      return j.status[i];
    }
  return SPAR_OK;
}

/* ---- attention ---- */

enum { SPAN_ARRAYS = 6 };

typedef struct attention_split {
  numa_backend *self;
  const spar_attention_args *args;
  int64_t begin[MAX_NODES + 1]; /* spans of node i, in the sorted arrays */
  spar_status status[MAX_NODES];
} attention_split;

static int64_t *span_memory(numa_backend *self, int64_t n) {
  const uint64_t bytes = (uint64_t)(SPAN_ARRAYS + 1) * (uint64_t)n * sizeof(int64_t);
  const spar_host *h = self->host;
  if (bytes <= self->spans_bytes) return self->spans;
  if (self->spans) h->free(h, self->spans, self->spans_bytes, 64);
  self->spans = h->alloc(h, 2 * bytes, 64);
  self->spans_bytes = self->spans ? 2 * bytes : 0;
  return self->spans;
}

/* The node that a span's own keys live on; a span without keys counts for node 0. */
static int32_t home_of(const numa_backend *self, const spar_attention_args *a, int64_t span) {
  const placed *home = a->k->buffer;
  if (!home || self->placement != PLACE_SPLIT || a->k_len[span] == 0) return -1;
  const int64_t middle = a->k_begin[span] + a->k_len[span] / 2;
  return numa_node_of(self, home, a->k->offset + (uint64_t)(middle * a->k->stride[0]) * 4);
}

/* Work of a span: its scores. */
static int64_t cost_of(const spar_attention_args *a, int64_t s) {
  const int64_t prefix = a->prefix_begin && a->prefix_len ? a->prefix_len[s] : 0;
  return a->q_len[s] * (prefix + a->k_len[s]) + 1;
}

/* Spans to nodes: home, unless its node has an eighth more than its share of the work already;
 * spans without a home go in order, so that neighbouring rows stay together. */
static void assign(numa_backend *self, const spar_attention_args *a, int64_t *node_of) {
  int64_t total = 0, load[MAX_NODES] = {0}, passed = 0;
  for (int64_t s = 0; s < a->n_seq; s++) total += cost_of(a, s);
  const int32_t count = self->map.count, threads = self->first[count];
  for (int64_t s = 0; s < a->n_seq; s++) {
    const int64_t cost = cost_of(a, s);
    const int32_t home = home_of(self, a, s);
    int32_t node = home;
    if (node < 0) {
      node = 0;
      while (node + 1 < count && (passed + cost / 2) * threads >= total * self->first[node + 1])
        node++;
    }
    const int64_t room = total * self->map.node[node].threads / threads * 9 / 8 + cost / 2;
    if (load[node] + cost > room)
      for (int32_t i = 0; i < count; i++)
        if (load[i] * self->map.node[node].threads < load[node] * self->map.node[i].threads)
          node = i;
    self->spans_seen += home >= 0;
    self->spans_home += home == node;
    load[node] += cost;
    passed += cost;
    node_of[s] = node;
  }
}

static void attention_share(void *arg, int32_t node) {
  attention_split *j = arg;
  const int64_t begin = j->begin[node], n = j->begin[node + 1] - begin, all = j->args->n_seq;
  if (n == 0) return;
  const int64_t *p = j->self->spans + begin;
  spar_attention_args a = *j->args;
  a.q_begin = p;
  a.q_len = p + all;
  a.k_begin = p + 2 * all;
  a.k_len = p + 3 * all;
  a.prefix_begin = j->args->prefix_begin ? p + 4 * all : NULL;
  a.prefix_len = j->args->prefix_begin && j->args->prefix_len ? p + 5 * all : NULL;
  a.n_seq = n;
  j->status[node] = spar_cpu_attention(&j->self->node[node], &a);
}

spar_status numa_attention(void *me, const spar_attention_args *raw) {
  numa_backend *self = me;
  numa_steer(self);
  spar_attention_args a;
  spar_adopt(&a, sizeof a, raw);
  a.struct_size = sizeof a;
  const int64_t n = a.n_seq;
  if (!self->teams || n < 2 * self->map.count || !a.k || a.k->rank != 3 || a.k->dtype != SPAR_F32)
    return spar_cpu_attention(&self->all, raw);
  int64_t *spans = span_memory(self, n);
  if (!spans) return spar_cpu_attention(&self->all, raw);
  int64_t *node_of = spans + SPAN_ARRAYS * n;
  assign(self, &a, node_of);
  attention_split j = {.self = self, .args = &a};
  const int64_t *from[SPAN_ARRAYS] = {a.q_begin, a.q_len, a.k_begin, a.k_len, a.prefix_begin,
                                      a.prefix_begin ? a.prefix_len : NULL};
  int64_t at = 0;
  for (int32_t node = 0; node < self->map.count; node++) {
    j.begin[node] = at;
    for (int64_t s = 0; s < n; s++) {
      if (node_of[s] != node) continue;
      for (int k = 0; k < SPAN_ARRAYS; k++) spans[k * n + at] = from[k] ? from[k][s] : 0;
      at++;
    }
  }
  j.begin[self->map.count] = at;
  spar_teams_each(self->teams, attention_share, &j);
  /* Outputs are only written, never read: done as a whole, a failure is reported on this thread. */
  for (int32_t i = 0; i < self->map.count; i++)
    if (j.status[i] != SPAR_OK) return spar_cpu_attention(&self->all, raw);
  return SPAR_OK;
}
