import CSpar
import @MODULE@Core

// One operation, the product of two float32 matrices, on the host's threads.  All that the table
// leaves out or answers UNSUPPORTED to, Spar computes itself, from this product where it can.

/// A float32 matrix that the CPU can address; nil for any other tensor.
private func matrix(_ tensor: spar_tensor) -> Matrix? {
  guard tensor.dtype == Int32(SPAR_F32), tensor.rank == 2, let data = tensor.data else {
    return nil
  }
  return Matrix(
    data.assumingMemoryBound(to: Float.self), rows: Int(tensor.shape.0),
    columns: Int(tensor.shape.1), rowStride: Int(tensor.stride.0),
    columnStride: Int(tensor.stride.1))
}

private func gemm(_ host: UnsafePointer<spar_host>, _ g: spar_gemm_args) throws -> Int {
  guard let a = matrix(g.a.pointee), let b = matrix(g.b.pointee), let c = matrix(g.c.pointee)
  else { return Int(SPAR_UNSUPPORTED) }
  var bias: UnsafePointer<Float>?
  if let tensor = g.bias?.pointee {
    guard tensor.dtype == Int32(SPAR_F32), tensor.rank == 1, let data = tensor.data else {
      return Int(SPAR_UNSUPPORTED)
    }
    guard tensor.shape.0 == Int64(c.columns) else { throw Failure("gemm: the bias does not fit") }
    bias = UnsafePointer(data.assumingMemoryBound(to: Float.self))
  }
  var product = Product(
    a: g.flags & UInt64(SPAR_TRANS_A) != 0 ? a.transposed : a,
    b: g.flags & UInt64(SPAR_TRANS_B) != 0 ? b.transposed : b,
    c: c, bias: bias, alpha: Float(g.alpha), beta: Float(g.beta))
  guard product.fits else { throw Failure("gemm: the shapes do not fit") }
  withUnsafeMutablePointer(to: &product) { product in
    host.pointee.parallel_for(
      host, Int64(c.rows), Int64(Product.grain),
      { arg, begin, end, _ in
        arg?.assumingMemoryBound(to: Product.self).pointee.rows(Int(begin)..<Int(end))
      }, product)
  }
  return Int(SPAR_OK)
}

nonisolated(unsafe) private let api: UnsafePointer<spar_backend_api> = forever {
  $0.struct_size = UInt64(MemoryLayout<spar_backend_api>.size)
  $0.flags = UInt64(SPAR_BE_DETERMINISTIC)
  $0.gemm = { me, args in
    guard let me, let args else { return spar_status(SPAR_E_INVALID) }
    let host = Instance<Void>.from(me).host
    return guarded(host) { try gemm(host, adopt(args, as: spar_gemm_args())) }
  }
}

nonisolated(unsafe) private let description = plugin(
  forever {
    $0.struct_size = UInt64(MemoryLayout<spar_component>.size)
    $0.kind = UInt32(SPAR_KIND_BACKEND)
    $0.id = foreverText("@NAME@")
    $0.name = foreverText("@NAME@")
    $0.doc = foreverText("float32 products in plain tiled loops")
    // 100 is a portable baseline: below the backends that come with Spar, above what cannot run.
    $0.probe = { _, score in
      score?.pointee = 100
      return spar_status(SPAR_OK)
    }
    $0.create = { host, info, out in construct(host, info, out) { _ in () } }
    $0.destroy = { me in
      if let me { Unmanaged<Instance<Void>>.fromOpaque(me).release() }
    }
    $0.api = UnsafeRawPointer(api)
  })

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
