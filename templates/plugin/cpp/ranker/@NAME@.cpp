// @NAME@: a ranker for Spar.
//
// It prefers the answer whose length is nearer to a wished number of words:
//
//     score(y)  = -|words(y) - target|
//     raw(i, j) = (score(i) - score(j)) / scale        P(i beats j) = 1 / (1 + e^-raw)
//
// A word is a run of bytes without ASCII white space.  Replace `score` with what you judge by.
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "guarded.hpp"

namespace {

int64_t words(std::string_view text) {
  int64_t count = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    count += !space && !inside;
    inside = !space;
  }
  return count;
}

double logistic(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

class Ranker {
 public:
  Ranker(const spar_host *host, int64_t target, double scale)
      : host(host), target(target), scale(scale) {
    if (!(scale > 0)) throw std::invalid_argument("@NAME@: scale must be positive");
  }

  void rank(const spar_rank_query &q) const {
    std::vector<double> scores(static_cast<size_t>(q.k));
    for (int64_t i = 0; i < q.k; i++) scores[i] = score(q, i);
    for (int64_t i = 0; i < q.k; i++) {
      if (q.score) q.score[i] = scores[i];
      for (int64_t j = 0; j < q.k; j++) {
        const double raw = i == j ? 0 : (scores[i] - scores[j]) / scale;
        q.raw[i * q.k + j] = raw;
        q.pairwise[i * q.k + j] = logistic(raw);
      }
    }
  }

  const spar_host *const host;

 private:
  // Higher is better.  The conversation is q.messages[0 .. q.n_messages).  Texts carry their
  // length: they may hold any bytes and do not end with NUL.
  double score(const spar_rank_query &q, int64_t answer) const {
    const spar_text text = q.responses[answer];
    return -std::abs(static_cast<double>(words({text.p, text.n}) - target));
  }

  const int64_t target;
  const double scale;
};

enum { TARGET, SCALE, PARAMS };
const spar_param params[PARAMS] = {
    {.struct_size = sizeof(spar_param), .name = "target", .doc = "the wished length",
     .unit = "words", .default_text = "50", .choices = nullptr, .min = 0, .max = 1e6,
     .type = SPAR_T_INT, .flags = SPAR_P_RANGE},
    {.struct_size = sizeof(spar_param), .name = "scale",
     .doc = "difference in distance that makes log-odds of 1", .unit = "words",
     .default_text = "10", .choices = nullptr, .min = 1e-3, .max = 1e6, .type = SPAR_T_FLOAT,
     .flags = SPAR_P_RANGE}};

spar_status create(const spar_host *host, const spar_create_info *info, void **self) {
  return guarded(host, [&] {
    const spar_create_info i = adopt(info);
    if (!i.values || i.n_values < PARAMS)
      throw std::invalid_argument("@NAME@: target and scale are needed");
    *self = new Ranker(host, i.values[TARGET].i, i.values[SCALE].f);
  });
}

void destroy(void *self) { delete static_cast<Ranker *>(self); }

spar_status rank(void *self, spar_rank_batch *batch) {
  const auto *me = static_cast<const Ranker *>(self);
  return guarded(me->host, [&] {
    const spar_rank_batch b = adopt(batch);
    for (int64_t n = 0; n < b.n; n++) me->rank(b.queries[n]);
  });
}

// Claims, which `spar plugin check` tests: raw is what is computed; P(i,j) + P(j,i) = 1; P is a
// function of score differences; rank() keeps no state, so calls may overlap.
const spar_ranker_api api = {
    .struct_size = sizeof api,
    .flags = SPAR_RANK_NATIVE_RAW | SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR | SPAR_RANK_REENTRANT,
    .rank = rank, .bind_backend = nullptr};
const spar_component component = {
    .struct_size = sizeof component, .kind = SPAR_KIND_RANKER, .flags = 0, .id = "@NAME@",
    .name = "@NAME@", .doc = "prefers answers near a wished number of words", .params = params,
    .n_params = PARAMS, .probe = nullptr, .create = create, .destroy = destroy, .api = &api,
    .extension = nullptr};
const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = SPAR_ABI_GENERATION,
    .revision = SPAR_ABI_REVISION, .id = "plugin.@NAME@", .name = "@NAME@", .version = "0.1.0",
    .vendor = "@AUTHOR@", .license = "@LICENSE@", .url = nullptr, .components = &component,
    .n_components = 1, .init = nullptr, .shutdown = nullptr};

}  // namespace

extern "C" const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
