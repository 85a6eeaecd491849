/* Attention, forward.  Tasks are (span, key head, a few tiles), so any batch keeps all workers. */
#include "attention.h"

enum { TILES_PER_TASK = 4 }; /* they share one packing of the values */

typedef struct forward_scratch {
  float *panel, *s, *out, *rows, *strips;
} forward_scratch;

static uint64_t forward_bytes(const attention_job *j) {
  const int64_t W = MAX_PANEL, D = j->q.D, K = j->max_keys + 8;
  return (uint64_t)(W * D * 2 + K * W + K * D + (D + 8) * K) * 4;
}

static forward_scratch carve(const attention_job *j, float *p) {
  const int64_t W = MAX_PANEL, D = j->q.D, K = j->max_keys + 8;
  forward_scratch s = {.panel = p};
  s.s = s.panel + W * D;
  s.out = s.s + K * W;
  s.rows = s.out + W * D;
  s.strips = s.rows + K * D;
  return s;
}

static void forward_tile(const attention_job *j, const query_tile *t, const forward_scratch *w,
                         int64_t strip_keys) {
  const spar_kernels *f = j->self->kernels;
  float lse[MAX_PANEL], inverse[MAX_PANEL];
  pack_lanes(j, t, &j->q, w->panel);
  scores(j, t, &j->k, w->panel, w->s);
  const spar_columns c = {.keys = t->end - t->begin, .width = t->width, .first = t->first,
                          .end = t->last, .scale = j->scale, .softcap = j->softcap};
  f->attend(&c, w->s, lse, inverse);
  weighted_rows(j, t, &j->v, strip_keys ? w->strips : NULL, strip_keys, w->s, w->out);
  for (int64_t l = 0; l < t->lanes; l++) {
    f->scale(j->o.D, inverse[l], w->out + l * j->o.D,
             j->o.p + t->q_row[l] * j->o.row + t->q_head[l] * j->o.head);
    if (j->lse) j->lse[t->q_row[l] * j->lse_row + t->q_head[l]] = lse[l];
  }
}

static void forward_tasks(void *arg, int64_t begin, int64_t end, int32_t worker) {
  const attention_job *j = arg;
  const forward_scratch w = carve(j, local_scratch(j->self, worker));
  for (int64_t task = begin; task < end; task++) {
    int64_t low = 0, high = j->n_seq; /* the last span whose first task is not after this */
    while (high - low > 1) {
      const int64_t mid = (low + high) / 2;
      if (j->first_task[mid] <= task) low = mid;
      else high = mid;
    }
    const int64_t tiles = tiles_of(j, low), chunks = blocks(tiles, TILES_PER_TASK);
    const int64_t at = task - j->first_task[low], kv_head = at / chunks;
    const int64_t tile0 = at % chunks * TILES_PER_TASK;
    const int64_t tile_end = least(tiles, tile0 + TILES_PER_TASK);
    query_tile t;
    tile_at(j, low, kv_head, tile_end - 1, &t);
    int64_t strip_keys = 0;
    if (tile_end - tile0 > 1 || t.lanes > FEW_LANES) {
      strip_keys = t.end;
      pack_span(j, low, kv_head, &j->v, strip_keys, w.rows, w.strips);
    }
    for (int64_t i = tile0; i < tile_end; i++) {
      tile_at(j, low, kv_head, i, &t);
      forward_tile(j, &t, &w, strip_keys);
    }
  }
}

spar_status openblas_attention(void *p, const spar_attention_args *raw) {
  backend *self = p;
  ADOPT(spar_attention_args, raw);
  attention_job j;
  const spar_status status = attention_job_of(self, &a, 0, &j);
  if (status != SPAR_OK) return status;
  j.first_task = shared_scratch(self, SLOT_A, sizeof(int64_t) * (uint64_t)(j.n_seq + 1));
  if (!j.first_task || reserve_local(self, forward_bytes(&j)) != SPAR_OK) return SPAR_E_NOMEM;
  j.first_task[0] = 0;
  for (int64_t s = 0; s < j.n_seq; s++)
    j.first_task[s + 1] = j.first_task[s] + j.k.H * blocks(tiles_of(&j, s), TILES_PER_TASK);
  spar_team_for(self->team, j.first_task[j.n_seq], 1, forward_tasks, &j);
  return SPAR_OK;
}
