/* Scores of known answers, and the laws that a matrix of win probabilities has to keep. */
#include <math.h>
#include "test_host.h"

enum { K = 4 };

int main(void) {
  const spar_host host = test_host();
  const spar_value values[] = {{.i = 3, .f = 3, .s = "3", .type = SPAR_T_INT},
                               {.f = 2, .s = "2", .type = SPAR_T_FLOAT}};
  void *self = NULL;
  const spar_component *c = test_create(&host, values, 2, &self);

  const char *const texts[K] = {"one two three", "", " one\ttwo\n", "a b c d e f \xff g"};
  const double expected[K] = {0, -3, -1, -5};
  spar_text answers[K];
  for (int i = 0; i < K; i++) answers[i] = (spar_text){texts[i], strlen(texts[i])};
  const spar_message question = {{"user", 4}, {"Count.", 6}};
  double p[K * K], raw[K * K], score[K];
  spar_rank_query query = {.messages = &question, .n_messages = 1, .responses = answers, .k = K,
                           .pairwise = p, .raw = raw, .score = score};
  spar_rank_batch batch = {.struct_size = sizeof batch, .queries = &query, .n = 1};
  const spar_ranker_api *api = c->api;
  CHECK(api->rank(self, &batch) == SPAR_OK, "rank failed");

  for (int i = 0; i < K; i++) {
    CHECK(score[i] == expected[i], "answer %d scores %g, not %g", i, score[i], expected[i]);
    CHECK(p[i * K + i] == 0.5 && raw[i * K + i] == 0, "the diagonal at %d is wrong", i);
    for (int j = 0; j < K; j++) {
      const double sum = p[i * K + j] + p[j * K + i];
      CHECK(fabs(sum - 1) < 1e-12, "P(%d,%d) and P(%d,%d) sum to %g", i, j, j, i, sum);
      CHECK((raw[i * K + j] > 0) == (expected[i] > expected[j]), "%d against %d", i, j);
    }
  }
  CHECK(fabs(p[2] - 1 / (1 + exp(-0.5))) < 1e-12, "P(0,2) is %g", p[2]);
  c->destroy(self);
  return test_end();
}
