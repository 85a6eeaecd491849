import SparCompute
import SparHost
import SparTensor
import SparTraining
import Testing

/// Placement decides where work is done, never what comes out.
@Suite("NUMA: same bits as openblas") struct SameBitsTests {
  static let layouts: [[String: String]] = [
    ["fake-nodes": "2"], ["fake-nodes": "3", "threads": "4"],
    ["fake-nodes": "2", "placement": "interleave"],
    ["fake-nodes": "2", "replicate-below": "1000000"], ["placement": "off"], ["nodes": "1"], [:],
  ]

  func plain() throws -> Backend { try backend("openblas", ["products": "own"]) }

  @Test("a training step: log-probabilities, gradients, parameters", arguments: layouts)
  func training(options: [String: String]) throws {
    func run(_ backend: Backend) throws -> [UInt32] {
      let placed = try PlacedModel(backend)
      let optimizer = Optimizer(
        placed.model.parameters, options: TrainingOptions(), backend: backend)
      return try placed.step(optimizer) + placed.step(nil)
    }
    #expect(try run(backend("numa", options)) == run(plain()))
  }

  @Test("greedy answers decoded together", arguments: layouts)
  func generation(options: [String: String]) throws {
    let ours = try PlacedModel(backend("numa", options)).greedy(sequences: 12, tokens: 10)
    let theirs = try PlacedModel(plain()).greedy(sequences: 12, tokens: 10)
    #expect(ours == theirs)
    #expect(Set(ours.map { $0.suffix(10) }).count > 3, "all answers are alike: \(ours)")
  }

  @Test("products of every kind and size", arguments: [1, 31, 40, 97, 300])
  func products(rows: Int) throws {
    func run(_ backend: Backend) throws -> [UInt32] {
      var random = Random(seed: 3, stage: .initialise)
      func filled(_ shape: [Int], _ use: MemoryUse = .activations) -> Tensor {
        let tensor = backend.tensor(shape, use: use)
        for index in 0..<tensor.count { tensor.floats[index] = Float(random.uniform()) - 0.5 }
        return tensor
      }
      let weight = filled([333, 200], .weights)
      let bias = filled([333])
      let x = filled([rows, 200])
      let y = filled([rows, 333])
      let dx = filled([rows, 200])
      let dw = filled([333, 200], .optimizer)
      try backend.gemm(x, weight, into: y, transposeB: true, bias: bias)
      try backend.gemm(y, weight, into: dx)
      try backend.gemm(y, x, into: dw, transposeA: true, beta: 1)
      // Rows that lie on one node only.
      let part = weight.rows(200..<333)
      let z = filled([rows, 133])
      try backend.gemm(x, part, into: z, transposeB: true, alpha: 2)
      return bits(y) + bits(dx) + bits(dw) + bits(z)
    }
    #expect(
      try run(backend("numa", ["fake-nodes": "2", "threads": "3"])) == run(plain()))
  }

  @Test("copies of a weight follow the host, the optimizer and every operation that writes it")
  func copies() throws {
    func run(_ backend: Backend) throws -> [UInt32] {
      let weight = backend.zeros([256, 128], use: .weights)
      let x = backend.tensor([5, 128])
      for index in 0..<x.count { x.floats[index] = Float(index % 17) - 8 }
      let ones = backend.tensor([256, 128])
      for index in 0..<ones.count { ones.floats[index] = 1 }
      var result: [UInt32] = []
      func multiply() throws {
        let (y, dx) = (backend.tensor([5, 256]), backend.tensor([5, 128]))
        try backend.gemm(x, weight, into: y, transposeB: true)
        try backend.gemm(y, weight, into: dx)
        result += bits(y) + bits(dx)
      }
      try multiply()
      for index in 0..<weight.count { weight.floats[index] = Float(index % 29) * 0.01 }
      try multiply()
      weight.rows(200..<201).floats[3] = 5
      try multiply()
      try backend.add(weight, ones, into: weight)
      try multiply()
      try backend.scatterRows(ones.rows(0..<2), to: [7, 255], of: weight)
      try multiply()
      try backend.gemm(ones.rows(0..<256), ones.rows(0..<128), into: weight, transposeB: true)
      try multiply()
      try backend.optimizerStep(
        .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), p: weight,
        m: backend.zeros([256, 128], use: .optimizer),
        v: backend.zeros([256, 128], use: .optimizer), g: ones, learningRate: 0.1,
        weightDecay: 0.1, gradientScale: 1, step: 1)
      try multiply()
      return result
    }
    let placed = try backend("numa", ["fake-nodes": "2", "replicate-below": "1000000"])
    #expect(try run(placed) == run(plain()))
    let rows = try placed.placement(measured: false)
    #expect(rows.contains { $0.key == "copies" }, "\(rows)")
  }
}
