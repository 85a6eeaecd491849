// Scores of known answers, and the laws that a matrix of win probabilities has to keep.
#include <cmath>
#include <string_view>

#include "test_host.h"

int main() {
  constexpr int K = 4;
  const spar_host host = test_host();
  spar_value values[2] = {};
  values[0].i = 3, values[0].f = 3, values[0].s = "3", values[0].type = SPAR_T_INT;
  values[1].f = 2, values[1].s = "2", values[1].type = SPAR_T_FLOAT;
  void *self = nullptr;
  const spar_component *c = test_create(&host, values, 2, &self);

  const std::string_view texts[K] = {"one two three", "", " one\ttwo\n", "a b c d e f \xff g"};
  const double expected[K] = {0, -3, -1, -5};
  spar_text answers[K];
  for (int i = 0; i < K; i++) answers[i] = {texts[i].data(), texts[i].size()};
  const spar_message question = {{"user", 4}, {"Count.", 6}};
  double p[K * K], raw[K * K], score[K];
  spar_rank_query query{};
  query.messages = &question, query.n_messages = 1, query.responses = answers, query.k = K;
  query.pairwise = p, query.raw = raw, query.score = score;
  spar_rank_batch batch{};
  batch.struct_size = sizeof batch, batch.queries = &query, batch.n = 1;
  const auto *api = static_cast<const spar_ranker_api *>(c->api);
  CHECK(api->rank(self, &batch) == SPAR_OK, "rank failed");

  for (int i = 0; i < K; i++) {
    CHECK(score[i] == expected[i], "answer %d scores %g, not %g", i, score[i], expected[i]);
    CHECK(p[i * K + i] == 0.5 && raw[i * K + i] == 0, "the diagonal at %d is wrong", i);
    for (int j = 0; j < K; j++) {
      const double sum = p[i * K + j] + p[j * K + i];
      CHECK(std::abs(sum - 1) < 1e-12, "P(%d,%d) and P(%d,%d) sum to %g", i, j, j, i, sum);
      CHECK((raw[i * K + j] > 0) == (expected[i] > expected[j]), "%d against %d", i, j);
    }
  }
  CHECK(std::abs(p[2] - 1 / (1 + std::exp(-0.5))) < 1e-12, "P(0,2) is %g", p[2]);
  c->destroy(self);
  return test_end();
}
