import SparCompute
import SparModel
import SparText

/// An encoder as rankers use it.
///
/// Every row sees its whole sequence, so nothing of a sequence can be shared with another: encoders
/// take no prefixes.
public final class EncoderTextModel: TextModel {
  public let model: EncoderModel
  public let tokenizer: Tokenizer
  public let facts: TextModelFacts
  public var weights: any WeightSource { model.weights }
  public var digest: String { model.digest }
  private let passes: HiddenStatePasses

  /// - Parameters:
  ///   - policy: how the encoder's matrices stay in memory.
  ///   - rowsPerPass: token rows computed together; more memory, fewer passes.
  public init(
    _ files: ModelFiles, backend: Backend, weights policy: WeightsPolicy = .f32,
    rowsPerPass: Int = 2048
  ) throws {
    precondition(rowsPerPass > 0, "a pass has at least one row")
    model = try EncoderModel(
      config: files.config, weights: files.weights, keeping: policy, path: files.path,
      backend: backend)
    tokenizer = try files.tokenizer
    passes = HiddenStatePasses(rowsPerPass: rowsPerPass)
    facts = TextModelFacts(
      kind: .encoder, modelType: EncoderModel.modelType, path: files.path,
      configJSON: model.configJSON, hiddenSize: model.config.hiddenSize,
      vocabularySize: model.config.vocabularySize,
      // Positions are relative, and beyond the table all alike: there is no longest sequence.
      maxPositions: Int(Int32.max))
  }

  public func render(_ messages: [ChatMessage], generationPrompt: Bool) throws -> String {
    throw ModelError(.noChatTemplate, path: facts.path)
  }

  public func hidden(
    _ groups: [TextModelGroup], between: (_ done: Int, _ of: Int) throws -> Void
  ) throws -> [TextModelStates] {
    for group in groups where !group.prefix.ids.isEmpty {
      throw EncoderLimit(path: facts.path, problem: "has no prefixes: its rows see later ones")
    }
    var states = groups.map {
      TextModelStates(sequences: [[Float]](repeating: [], count: $0.sequences.count))
    }
    let plan = passes.parts(groups)
    for (number, parts) in plan.enumerated() {
      var sequences: [[Int32]] = []
      var rows: [Int32] = []
      var start = 0
      for part in parts {
        for sequence in groups[part.group].sequences[part.sequences] {
          sequences.append(sequence.ids)
          rows += sequence.rows.map { Int32(start + $0) }
          start += sequence.ids.count
        }
      }
      let values = try model.hidden(sequences, rows: rows)
      guard values.allSatisfy(\.isFinite) else { throw DamagedWeights(path: facts.path) }
      var next = 0
      for part in parts {
        for place in part.sequences {
          let count = groups[part.group].sequences[place].rows.count * facts.hiddenSize
          states[part.group].sequences[place] = Array(values[next..<next + count])
          next += count
        }
      }
      try between(number + 1, plan.count)
    }
    return states
  }

  public func logits(_ hidden: [Float], rows: Int, ids: [Int32]) throws -> [Float] {
    throw EncoderLimit(path: facts.path, problem: "gives no logits: it is no language model")
  }
}

/// What an encoder cannot do.
private struct EncoderLimit: Error, CustomStringConvertible {
  var path: String
  var problem: String

  var description: String { "\(path) is an encoder and \(problem)" }
}
