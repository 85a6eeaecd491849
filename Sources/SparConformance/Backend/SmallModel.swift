import Glibc
import SparCompute
import SparTensor

/// A causal model of two layers, made of the operations of one backend and run forward and
/// backward: the same numbers must come out on every backend.
struct SmallModel {
  private let backend: Backend
  private let seed: UInt64
  private let tokens = 13
  private let width = 32
  private let heads = 4
  private let keyHeads = 2
  private let hidden = 48
  private let vocabulary = 50

  init(_ backend: Backend, seed: UInt64) {
    self.backend = backend
    self.seed = seed
  }

  /// Log-probabilities and all gradients by name.
  func run() throws -> [String: [Float]] {
    var values = TrialValues(seed, 800)
    var parameters: [Parameter] = []
    func parameter(_ name: String, _ shape: [Int], _ scale: Double) -> Parameter {
      let count = shape.reduce(1, *)
      let numbers = values.reals([count], scale: scale).map(Float.init)
      let made = Parameter(
        name: name, value: Tensor(numbers, shape: shape, pool: backend.pool))
      made.gradient = backend.zeros(shape)
      parameters.append(made)
      return made
    }
    let table = parameter("embedding", [vocabulary, width], 1)
    let ids = values.indices(tokens, below: vocabulary).map { Int32($0) }
    let targets = values.indices(tokens, below: vocabulary, hole: 5).map { Int32($0) }
    let coefficients = values.reals([tokens]).map(Float.init)
    let positions = (0..<tokens).map { Int32($0 < 8 ? $0 : $0 - 8) }
    // Two sequences packed into one batch.
    let spans = AttentionSpans([
      AttentionSpan(queries: 0..<8, keys: 0..<8), AttentionSpan(queries: 8..<13, keys: 8..<13),
    ])
    let size = width / heads
    let rotary = rotaryTable(size)
    let graph = Graph(backend, recording: true)
    var x = try graph.embed(ids, table: table)
    for layer in 0..<2 {
      func weight(_ name: String, _ rows: Int, _ columns: Int) -> Parameter {
        parameter("layer \(layer) \(name)", [rows, columns], 0.3)
      }
      let before = parameter("layer \(layer) norm", [width], 1)
      let normal = try graph.rmsNorm(x, before, epsilon: 1e-5)
      let q = try graph.rotary(
        graph.linear(normal, weight("q", width, width)), heads: heads, rotary,
        positions: positions)
      let k = try graph.rotary(
        graph.linear(normal, weight("k", keyHeads * size, width)), heads: keyHeads, rotary,
        positions: positions)
      let v = try graph.linear(normal, weight("v", keyHeads * size, width))
      let attended = try graph.attention(
        q: q, k: k, v: v, heads: heads, keyHeads: keyHeads, spans,
        AttentionScale(scale: 1 / Double(size).squareRoot()))
      x = try graph.add(x, graph.linear(attended, weight("o", width, width)))
      let after = parameter("layer \(layer) second norm", [width], 1)
      let inner = try graph.rmsNorm(x, after, epsilon: 1e-5)
      let gated = try graph.gated(
        .silu, gate: graph.linear(inner, weight("gate", hidden, width)),
        up: graph.linear(inner, weight("up", hidden, width)))
      x = try graph.add(x, graph.linear(gated, weight("down", width, hidden)))
    }
    let last = try graph.rmsNorm(x, parameter("last norm", [width], 1), epsilon: 1e-5)
    let logp = try graph.linearLogp(last, table, targets: targets)
    let output = logp.value.array()
    try graph.backward(
      from: logp, gradient: Tensor(coefficients, shape: [tokens], pool: backend.pool))
    var found = ["log-probabilities": output]
    for parameter in parameters {
      if let gradient = parameter.gradient {
        found["gradient of \(parameter.name)"] = gradient.array()
      }
    }
    return found
  }

  private func rotaryTable(_ size: Int) -> RotaryTable {
    let half = size / 2
    let angles = (0..<tokens * half).map { i in
      Double(i / half) * pow(10_000, -Double(i % half) / Double(half))
    }
    func table(_ f: (Double) -> Double) -> Tensor {
      Tensor(angles.map { Float(f($0)) }, shape: [tokens, half], pool: backend.pool)
    }
    return RotaryTable(cos: table(cos), sin: table(sin))
  }
}
