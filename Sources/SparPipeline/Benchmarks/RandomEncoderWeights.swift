import SparModel
import SparTensor

/// Weights of an encoder of a given shape that nobody trained, for benchmarks: uniform numbers of
/// the size that initialisation gives, norms of 1.
final class RandomEncoderWeights: WeightSource {
  let path = "random weights"
  let entries: [WeightEntry]
  private let places: [String: Int]

  /// - Parameter config: with shared projections and normed positions, as `pairRM`.
  init(_ config: DebertaV2Config) {
    let (C, F) = (config.hiddenSize, config.intermediateSize)
    var shapes: [(String, [Int])] = [
      ("embeddings.word_embeddings.weight", [config.vocabularySize, C]),
      ("embeddings.LayerNorm.weight", [C]), ("embeddings.LayerNorm.bias", [C]),
      ("encoder.rel_embeddings.weight", [2 * config.positionRows, C]),
      ("encoder.LayerNorm.weight", [C]), ("encoder.LayerNorm.bias", [C]),
    ]
    for layer in 0..<config.layers {
      let dense = [
        ("attention.self.query_proj", C, C), ("attention.self.key_proj", C, C),
        ("attention.self.value_proj", C, C), ("attention.output.dense", C, C),
        ("intermediate.dense", F, C), ("output.dense", C, F),
      ]
      for (name, rows, columns) in dense {
        shapes.append(("encoder.layer.\(layer).\(name).weight", [rows, columns]))
        shapes.append(("encoder.layer.\(layer).\(name).bias", [rows]))
      }
      for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
        shapes.append(("encoder.layer.\(layer).\(name).weight", [C]))
        shapes.append(("encoder.layer.\(layer).\(name).bias", [C]))
      }
    }
    entries = shapes.map { WeightEntry(name: $0.0, type: .f32, shape: $0.1) }
    places = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  func entry(_ name: String) -> WeightEntry? { places[name].map { entries[$0] } }

  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
    let isNorm = name.contains("LayerNorm.weight")
    // A cheap generator: half a thousand million numbers are needed.
    var state = UInt32(truncatingIfNeeded: (places[name] ?? 0) &* 2_654_435_761 | 1)
    for index in destination.indices {
      state ^= state << 13
      state ^= state >> 17
      state ^= state << 5
      let uniform = Float(Int32(bitPattern: state)) * 0x1p-31
      destination[index] = isNorm ? 1 : 0.035 * uniform
    }
  }

  var isMapped: Bool { false }

  func lendBytes(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try floats(name).withUnsafeBytes(body)
  }

  func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    throw WeightError(path, .unsupported("made-up weights have no bytes in a file"))
  }
}
