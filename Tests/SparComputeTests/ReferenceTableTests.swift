import CSparPlugin
import SparCompute
import SparTensor
import Testing

@Suite("Reference table") struct ReferenceTableTests {
  let backend = Backend.reference()

  @Test("every operation of the header has a plain twin")
  func complete() {
    let api = referenceTable()
    let missing = Mirror(reflecting: api).children.compactMap { child -> String? in
      let label = child.label ?? ""
      let isMemory =
        label.hasPrefix("buffer_") || ["struct_size", "flags", "device", "sync"].contains(label)
      let value = Mirror(reflecting: child.value)
      return !isMemory && value.displayStyle == .optional && value.children.isEmpty ? label : nil
    }
    #expect(missing == [])
    #expect(api.struct_size == UInt64(MemoryLayout<spar_backend_api>.size))
  }

  @Test("other element types than f32 are declined, outputs left alone")
  func declined() {
    let half = Tensor([2, 2], dtype: .f16, pool: backend.pool)
    let y = backend.zeros([2, 2])
    #expect(throws: ComputeError.self) { try backend.softmax(half, into: y) }
    #expect(throws: ComputeError.self) { try backend.fill(half, 1) }
    #expect(y.array() == [0, 0, 0, 0])
  }

  @Test("rows of softmax are the probabilities that their definition says")
  func softmax() throws {
    let x = Tensor(
      [0, 1, 2, -.infinity, -.infinity, -.infinity], shape: [2, 3], pool: backend.pool)
    let mask = Tensor([0, -.infinity, 0], shape: [3], pool: backend.pool)
    let y = backend.tensor([2, 3])
    try backend.softmax(x, mask: mask, scale: 0.5, into: y)
    let first: Float = 0.26894143  // 1 / (1 + e)
    #expect(abs(y.array()[0] - first) < 1e-6)
    #expect(abs(y.array()[2] - (1 - first)) < 1e-6)
    #expect(y.array()[1] == 0)
    #expect(Array(y.array()[3...]) == [0, 0, 0])
  }

  /// Central differences of Σ w f(x) against the backward pass of `f`.
  func differences(
    _ x: Tensor, _ gradient: [Float], _ loss: (Tensor) throws -> Double
  ) rethrows {
    for index in 0..<x.count {
      let (kept, step) = (x.floats[index], Float(1e-2))
      x.floats[index] = kept + step
      let up = try loss(x)
      x.floats[index] = kept - step
      let down = try loss(x)
      x.floats[index] = kept
      #expect(abs(Double(gradient[index]) - (up - down) / Double(2 * step)) < 1e-3)
    }
  }

  @Test("softmax's backward pass is its derivative") func softmaxGradient() throws {
    let x = Tensor([0.3, -0.7, 1.1, 0.2, 0.9, -0.4], shape: [2, 3], pool: backend.pool)
    let w = Tensor([1, -2, 0.5, 0.7, 0.1, -0.9], shape: [2, 3], pool: backend.pool)
    let (y, dx) = (backend.tensor([2, 3]), backend.tensor([2, 3]))
    try backend.softmax(x, scale: 1.5, into: y)
    try backend.softmaxBackward(y: y, dy: w, scale: 1.5, dx: dx)
    try differences(x, dx.array()) { x in
      let y = backend.tensor([2, 3])
      try backend.softmax(x, scale: 1.5, into: y)
      return zip(y.array(), w.array()).reduce(0) { $0 + Double($1.0 * $1.1) }
    }
  }

  @Test("the backward pass of log-probabilities is their derivative") func logpGradient() throws {
    let x = Tensor([0.3, -0.7, 1.1, 0.2, 0.9, -0.4], shape: [2, 3], pool: backend.pool)
    let coef = Tensor([0.8, -1.2], shape: [2], pool: backend.pool)
    let (logp, lse, dx) = (backend.tensor([2]), backend.tensor([2]), backend.tensor([2, 3]))
    func forward(_ x: Tensor) throws {
      try backend.logp(x, targets: [2, 0], inverseTemperature: 1.5, logp: logp, lse: lse)
    }
    try forward(x)
    try backend.logpBackward(
      x, targets: [2, 0], inverseTemperature: 1.5, lse: lse, coef: coef, dlogits: dx)
    try differences(x, dx.array()) { x in
      try forward(x)
      return zip(logp.array(), coef.array()).reduce(0) { $0 + Double($1.0 * $1.1) }
    }
  }
}
