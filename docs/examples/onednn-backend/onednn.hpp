// The instance behind every operation, and the two rules each of them keeps: no exception leaves
// the library, and oneDNN runs on the host's threads.
#ifndef SPAR_EXAMPLE_ONEDNN_HPP
#define SPAR_EXAMPLE_ONEDNN_HPP

#include <omp.h>
#include <spar_plugin.h>

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>

using Arguments = std::unordered_map<int, dnnl::memory>;

// What one host thread needs to run primitives: operations are serial, their slices are not.
struct Worker {
  dnnl::stream stream;
  std::vector<char> scratch;
};

// A compiled matrix product.
struct Product {
  dnnl::matmul run;
  dnnl::memory::desc a, b, c, bias, scratch;
};

using ProductKey = std::array<int64_t, 10>;

struct Backend {
  const spar_host *host;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::vector<Worker> workers;
  std::map<ProductKey, Product> products; // compiling takes 0.3 ms, a small product 0.01 ms
  size_t capacity;

  Backend(const spar_host *host, size_t capacity) : host(host), capacity(capacity) {
    for (int32_t i = 0; i < host->thread_count(host); i++)
      workers.push_back({dnnl::stream(engine), {}});
  }

  dnnl::memory at(const dnnl::memory::desc &desc, const void *data) {
    return dnnl::memory(desc, engine, const_cast<void *>(data));
  }
};

// Debian builds oneDNN with OpenMP, whose threads would fight with the host's for the cores.  While
// this object lives, oneDNN sees one thread on the calling thread; parallelism is the host's.
class OneThread {
  int before = omp_get_max_threads();

public:
  OneThread() { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before); }
};

// Runs slice(index, worker) for 0 <= index < n on the host's threads.  Slices depend on shapes
// alone, so the bits do not depend on the number of threads.
inline void parallel(Backend &me, int64_t n, const std::function<void(int64_t, Worker &)> &slice) {
  struct Loop {
    Backend &me;
    const std::function<void(int64_t, Worker &)> &slice;
    std::mutex lock;
    std::exception_ptr failure;
  } loop{me, slice, {}, nullptr};
  me.host->parallel_for(me.host, n, 1, [](void *arg, int64_t begin, int64_t end, int32_t worker) {
    auto &loop = *static_cast<Loop *>(arg);
    try {
      const OneThread one;
      for (int64_t i = begin; i < end; i++) loop.slice(i, loop.me.workers.at(worker));
    } catch (...) { // the host's loop is C: nothing may fly through it
      const std::lock_guard<std::mutex> held(loop.lock);
      loop.failure = std::current_exception();
    }
  }, &loop);
  if (loop.failure) std::rethrow_exception(loop.failure);
}

// Every function that the host calls goes through here.
template <class Body> spar_status guarded(const spar_host *host, Body body) {
  try {
    const OneThread one;
    return body();
  } catch (const std::bad_alloc &) {
    host->set_error(host, "onednn: out of memory");
    return SPAR_E_NOMEM;
  } catch (const std::invalid_argument &error) {
    host->set_error(host, error.what());
    return SPAR_E_INVALID;
  } catch (const dnnl::error &error) {
    host->set_error(host, error.what());
    return error.status == dnnl_out_of_memory ? SPAR_E_NOMEM : SPAR_E_INTERNAL;
  } catch (const std::exception &error) {
    host->set_error(host, error.what());
    return SPAR_E_INTERNAL;
  } catch (...) {
    host->set_error(host, "onednn: an unknown exception");
    return SPAR_E_INTERNAL;
  }
}

// Structs that may grow are copied, never dereferenced: the host may be older or newer.
template <class Args> Args adopted(const Args *raw) {
  Args args;
  spar_adopt(&args, sizeof args, raw);
  return args;
}

inline bool is(const spar_tensor *t, int32_t dtype) {
  return t && t->data && t->dtype == dtype && t->rank >= 1 && t->rank <= SPAR_MAX_RANK;
}

inline int64_t elements(const spar_tensor &t) {
  int64_t n = 1;
  for (int32_t i = 0; i < t.rank; i++) n *= t.shape[i];
  return n;
}

spar_status gemm(void *self, const spar_gemm_args *raw);
spar_status activation(void *self, const spar_activation_args *raw);

#endif
