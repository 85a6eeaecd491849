import SparCompute
import SparHost
import SparTensor
import SparTraining
import Testing

/// Placement decides where work is done, never what comes out.
@Suite("NUMA: same bits as openblas") struct SameBitsTests {
  static let layouts: [[String: String]] = [
    ["fake-nodes": "2"], ["fake-nodes": "3", "threads": "4"],
    ["fake-nodes": "2", "placement": "interleave"], ["placement": "off"], ["nodes": "1"], [:],
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
}
