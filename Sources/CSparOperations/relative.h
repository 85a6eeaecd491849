/*
 * Attention with relative positions: the tiles of attention.h, with scores to which the products of
 * queries and keys with the tables are added along their diagonals.
 *
 * A task is a span and a head.  Keys times pq stand once per task, queries times pk once per tile,
 * both only for the rows that the span's distances reach.
 */
#ifndef SPAR_OPERATIONS_RELATIVE_H
#define SPAR_OPERATIONS_RELATIVE_H

#include "attention.h"

typedef struct relative_job {
  attention_job a;
  heads pk, pq, dpk, dpq; /* p NULL: without that term */
  const int32_t *up, *down;
  int64_t most_rows; /* of a table that a span reaches, with room for a vector behind them */
} relative_job;

/* Rows [low, high] of a table. */
typedef struct table_rows {
  int64_t low, high, step; /* step: floats between lines of products with them */
} table_rows;

spar_status relative_job_of(backend *self, const spar_rel_attention_args *a, int backward,
                            relative_job *job);
/* What the keys of a span of n rows reach, and the queries of one of its tiles. */
table_rows rows_of_keys(const relative_job *j, int64_t n);
table_rows rows_of_tile(const relative_job *j, const query_tile *t);

/* by_key[key][row - low] = key . pq, for rows that the key's distances reach; what lies between
 * them is not written.  panel: [D][MAX_PANEL]. */
void keys_by_rows(const relative_job *j, int64_t span, int64_t head, table_rows rows, float *panel,
                  float *by_key);
/* by_query[lane][high - row] = query . pk, the queries as a panel. */
void queries_by_rows(const relative_job *j, const query_tile *t, table_rows rows,
                     const float *panel, float *by_query);
/* The kernels' view of a tile with these products. */
spar_relative relative_of(const relative_job *j, const query_tile *t, table_rows of_tile,
                          float *by_query, table_rows of_keys, float *by_key);

#endif
