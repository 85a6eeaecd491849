// y = f(x), or f(x) * gate: dnnl::eltwise, then dnnl::binary while the run is still in the cache.
// (oneDNN 2.6 can fuse the two, but then falls back to its slow reference code.)
#include "onednn.hpp"

#include <algorithm>

using dnnl::memory;

namespace {

constexpr int64_t RUN = 16384;

bool algorithm_of(uint32_t kind, dnnl::algorithm &out) {
  switch (kind) {
  case SPAR_RELU: out = dnnl::algorithm::eltwise_relu; return true;
  case SPAR_GELU: out = dnnl::algorithm::eltwise_gelu_erf; return true;
  case SPAR_GELU_TANH: out = dnnl::algorithm::eltwise_gelu_tanh; return true;
  case SPAR_SILU: out = dnnl::algorithm::eltwise_swish; return true;
  case SPAR_TANH: out = dnnl::algorithm::eltwise_tanh; return true;
  case SPAR_SIGMOID: out = dnnl::algorithm::eltwise_logistic; return true;
  default: return false;
  }
}

// Element 0 of row r, rows being all axes but the last.
float *row_of(const spar_tensor &t, int64_t r) {
  int64_t offset = 0;
  for (int32_t axis = t.rank - 2; axis >= 0; r /= t.shape[axis--])
    offset += r % t.shape[axis] * t.stride[axis];
  return static_cast<float *>(t.data) + offset;
}

bool same_shape(const spar_tensor &a, const spar_tensor &b) {
  return a.rank == b.rank && std::equal(a.shape, a.shape + a.rank, b.shape);
}

bool dense(const spar_tensor &t) {
  int64_t expected = 1;
  for (int32_t axis = t.rank - 1; axis >= 0; expected *= t.shape[axis--])
    if (t.shape[axis] > 1 && t.stride[axis] != expected) return false;
  return true;
}

struct Functions {
  memory::desc run;
  dnnl::eltwise_forward apply;
  dnnl::binary multiply;

  // The 1 is swish's factor; relu's would be the slope below zero.
  Functions(Backend &me, dnnl::algorithm algorithm, int64_t n)
      : run({n}, memory::data_type::f32, memory::dims{1}),
        apply({{dnnl::prop_kind::forward_inference, algorithm, run,
                algorithm == dnnl::algorithm::eltwise_relu ? 0.f : 1.f, 0.f},
               me.engine}),
        multiply({{dnnl::algorithm::binary_mul, run, run, run}, me.engine}) {}
};

} // namespace

spar_status activation(void *self, const spar_activation_args *raw) {
  auto &me = *static_cast<Backend *>(self);
  return guarded(me.host, [&]() -> spar_status {
    const auto args = adopted(raw);
    dnnl::algorithm algorithm;
    if (!is(args.x, SPAR_F32) || !is(args.y, SPAR_F32) || (args.gate && !is(args.gate, SPAR_F32)) ||
        !algorithm_of(args.kind, algorithm))
      return SPAR_UNSUPPORTED;
    if (!same_shape(*args.x, *args.y) || (args.gate && !same_shape(*args.x, *args.gate)))
      throw std::invalid_argument("onednn activation: the shapes of x, gate and y disagree");
    const int64_t n = elements(*args.x), C = args.x->shape[args.x->rank - 1];
    if (n == 0) return SPAR_OK;

    // Dense tensors are cut into runs, others into their rows.
    const bool whole = dense(*args.x) && dense(*args.y) && (!args.gate || dense(*args.gate));
    const int64_t length = whole ? std::min(RUN, n) : C, runs = (n + length - 1) / length;
    const Functions full(me, algorithm, length), rest(me, algorithm, n - (runs - 1) * length);
    const auto at = [&](const spar_tensor &t, int64_t i) {
      return whole ? static_cast<float *>(t.data) + i * length : row_of(t, i);
    };
    parallel(me, runs, [&](int64_t i, Worker &worker) {
      const Functions &f = i == runs - 1 ? rest : full;
      const memory y = me.at(f.run, at(*args.y, i));
      f.apply.execute(worker.stream,
                      {{DNNL_ARG_SRC, me.at(f.run, at(*args.x, i))}, {DNNL_ARG_DST, y}});
      if (args.gate)
        f.multiply.execute(worker.stream, {{DNNL_ARG_SRC_0, y},
                                           {DNNL_ARG_SRC_1, me.at(f.run, at(*args.gate, i))},
                                           {DNNL_ARG_DST, y}});
      worker.stream.wait();
    });
    return SPAR_OK;
  });
}
