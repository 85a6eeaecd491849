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

void write_queries(const attention_job *j, const query_tile *t, const float *out, const float *lse,
                   const float *inverse) {
  for (int64_t l = 0; l < t->lanes; l++) {
    j->self->kernels->scale(j->o.D, inverse[l], out + l * j->o.D,
                            j->o.p + t->q_row[l] * j->o.row + t->q_head[l] * j->o.head);
    if (j->lse) j->lse[t->q_row[l] * j->lse_row + t->q_head[l]] = lse[l];
  }
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
  weighted_rows(j, t, &j->v, w->strips, strip_keys, w->s, w->out);
  write_queries(j, t, w->out, lse, inverse);
}

static int few(const attention_job *j, const query_tile *t) {
  const spar_kernels *f = j->self->kernels;
  return t->lanes <= FEW_LANES && f->few_scores && j->q.D % f->lanes == 0;
}

/* The same for a few queries.  Where prefix and own keys meet, the chains over keys go on from the
 * stored sums: the bits are those of one chain. */
static void forward_few(const attention_job *j, const query_tile *t, const forward_scratch *w) {
  const spar_kernels *f = j->self->kernels;
  const int64_t D = j->q.D, step = blocks(t->end - t->begin, f->lanes) * f->lanes;
  float lse[MAX_PANEL], inverse[MAX_PANEL];
  for (int64_t l = 0; l < t->lanes; l++)
    memcpy(w->panel + l * D, j->q.p + t->q_row[l] * j->q.row + t->q_head[l] * j->q.head,
           (size_t)D * sizeof(float));
  for (int64_t key = t->begin, end; key < t->end; key = end) {
    end = key < t->prefix ? least(t->prefix, t->end) : t->end;
    f->few_scores(end - key, t->lanes, D, w->panel, j->k.row,
                  key_row(j, t->span, &j->k, t->kv_head, key), step, w->s + key - t->begin);
  }
  const spar_columns c = {.keys = t->end - t->begin, .first = t->first, .end = t->last,
                          .scale = j->scale, .softcap = j->softcap};
  f->few_attend(&c, t->lanes, step, w->s, lse, inverse);
  memset(w->out, 0, (size_t)(t->lanes * D) * sizeof(float));
  for (int64_t key = t->begin, end; key < t->end; key = end) {
    end = key < t->prefix ? least(t->prefix, t->end) : t->end;
    f->few_rows(end - key, t->lanes, step, w->s + key - t->begin, D, j->v.row,
                key_row(j, t->span, &j->v, t->kv_head, key), key > t->begin, w->out);
  }
  write_queries(j, t, w->out, lse, inverse);
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
    if (tile_end - tile0 == 1 && few(j, &t)) {
      forward_few(j, &t, &w);
      continue;
    }
    const int64_t strip_keys = t.end;
    pack_span(j, low, kv_head, &j->v, strip_keys, w.rows, w.strips);
    for (int64_t i = tile0; i < tile_end; i++) {
      tile_at(j, low, kv_head, i, &t);
      forward_tile(j, &t, &w, strip_keys);
    }
  }
}

spar_status spar_cpu_attention(void *p, const spar_attention_args *raw) {
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
