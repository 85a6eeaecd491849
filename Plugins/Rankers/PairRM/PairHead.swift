import Glibc
import SparPluginKit

/// f(u) = W2 tanh(W1 u + b1) + b2 for u = the states of source and candidate side by side [2 C].
struct PairHead {
  /// C.
  let width: Int
  private let hidden: [Float]  // W1 [C', 2 C]
  private let hiddenBias: [Float]
  private let output: [Float]  // W2 [tasks, C']
  private let outputBias: [Float]

  /// Names of the tensors in llm-blender/PairRM.
  static let names = [
    "head_layer.1.weight", "head_layer.1.bias", "head_layer.4.weight", "head_layer.4.bias",
  ]

  /// - Parameter tensor: a tensor of the model's files by name, nil where there is none.
  init(width: Int, path: String, tensor: (String) throws -> TextModel.Weights?) throws {
    let parts = try Self.names.map { name in
      guard let part = try tensor(name) else {
        throw PluginFailure(
          "\(path) has no tensor \(name): it is no pair ranker; give the folder of "
            + "llm-blender/PairRM or of one trained like it")
      }
      return part
    }
    let inner = parts[0].shape.first ?? 0
    let tasks = parts[2].shape.first ?? 0
    let expected = [[inner, 2 * width], [inner], [tasks, inner], [tasks]]
    for (name, (part, shape)) in zip(Self.names, zip(parts, expected))
    where part.shape != shape || shape.contains(0) {
      throw PluginFailure("\(path): tensor \(name) has shape \(part.shape), expected \(shape)")
    }
    self.width = width
    (hidden, hiddenBias) = (parts[0].values, parts[1].values)
    (output, outputBias) = (parts[2].values, parts[3].values)
  }

  /// f of first minus f of second, the mean over tasks; states [C] each.
  func difference(
    source: ArraySlice<Float>, first: ArraySlice<Float>, second: ArraySlice<Float>
  ) -> Double {
    let tasks = outputBias.count
    var sum = 0.0
    for inner in 0..<hiddenBias.count {
      let row = inner * 2 * width
      let shared = dot(row, source) + hiddenBias[inner]
      let (one, two) = (
        tanh(shared + dot(row + width, first)), tanh(shared + dot(row + width, second))
      )
      for task in 0..<tasks {
        sum += Double(output[task * hiddenBias.count + inner]) * Double(one - two)
      }
    }
    return sum / Double(tasks)
  }

  /// W1[row ..< row + C] · x, in eight sums side by side.
  private func dot(_ row: Int, _ x: ArraySlice<Float>) -> Float {
    hidden.withUnsafeBufferPointer { w in
      x.withUnsafeBufferPointer { x in
        var sums = SIMD8<Float>()
        var i = 0
        let (w, x) = (
          UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(w)[(row * 4)...]),
          UnsafeRawBufferPointer(x)
        )
        while i + 8 <= width {
          sums +=
            w.loadUnaligned(fromByteOffset: i * 4, as: SIMD8<Float>.self)
            * x.loadUnaligned(fromByteOffset: i * 4, as: SIMD8<Float>.self)
          i += 8
        }
        var sum = sums.sum()
        while i < width {
          sum +=
            w.loadUnaligned(fromByteOffset: i * 4, as: Float.self)
            * x.loadUnaligned(fromByteOffset: i * 4, as: Float.self)
          i += 1
        }
        return sum
      }
    }
  }
}
