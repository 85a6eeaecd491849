import CSparKernels
import CSparPlugin
import SparTensor

/// Fast versions of what a plugin leaves out, so that a backend with nothing but gemm is usable.
///
/// Attention and the linear head are composites over the plugin's own gemm, in blocks; row by row
/// operations are the SIMD kernels on the host's threads.  None of this defines anything: each
/// agrees with its plain twin in `Reference`, which also does what these decline.
struct Fallback {
  let k: UnsafePointer<spar_kernels>
  let parallel: ParallelLoops
  let pool: MemoryPool
  /// The plugin's own product, if it has one.
  let pluginGemm: ((inout spar_gemm_args) -> spar_status)?

  init?(
    parallel: ParallelLoops, pool: MemoryPool,
    pluginGemm: ((inout spar_gemm_args) -> spar_status)?
  ) {
    guard let kernels = spar_kernels_for(nil) else { return nil }
    k = kernels
    self.parallel = parallel
    self.pool = pool
    self.pluginGemm = pluginGemm
  }

  /// Fresh memory for `count` floats, undefined; keep the tensor as long as the memory is used.
  func scratch(_ count: Int) -> Tensor { Tensor([max(count, 1)], pool: pool) }

  /// Columns rounded up to whole vectors of every kernel set, an odd number of 64-byte lines: walks
  /// down a column then use all sets of the cache.
  static func paddedWidth(_ columns: Int) -> Int { ((columns + 15) / 16 | 1) * 16 }
}

/// A view of f32 memory with up to four axes, made on the fly.
struct FloatView {
  var base: UnsafeMutablePointer<Float>
  var shape: [Int]
  var stride: [Int]

  var c: spar_tensor { spar_tensor(data: base, dtype: .f32, shape: shape, strides: stride) }
}
