import SparCompute
import SparModel
import SparTensor
import SparText

/// A causal language model as rankers use it.
public final class CausalTextModel: TextModel {
  public let model: LanguageModel
  public let weights: any WeightSource
  public let facts: TextModelFacts
  public let tokenizer: Tokenizer
  public var digest: String { model.digest }
  /// Whether the files hold an output embedding; classifiers and reward models may have none.
  private let hasHead: Bool
  private let passes: HiddenStatePasses

  /// - Parameter rowsPerPass: token rows computed together; more memory, fewer passes.
  public init(
    _ files: ModelFiles, backend: Backend, weights policy: WeightsPolicy = .f32,
    rowsPerPass: Int = 2048
  ) throws {
    precondition(rowsPerPass > 0, "a pass has at least one row")
    let isTied = try ModelConfig(json: files.config, path: files.path).tieEmbeddings
    hasHead = isTied || files.weights.entry("lm_head.weight") != nil
    // A head that is not there is never asked for: the embedding stands in for it.
    var loaded = files
    if !hasHead { loaded = try files.tyingEmbeddings() }
    tokenizer = try files.tokenizer
    model = try LanguageModel(loaded, backend: backend, weights: policy)
    weights = files.weights
    passes = HiddenStatePasses(rowsPerPass: rowsPerPass)
    facts = TextModelFacts(
      kind: .causal, modelType: model.config.modelType, path: files.path,
      configJSON: String(decoding: files.config, as: UTF8.self),
      hiddenSize: model.config.hiddenSize, vocabularySize: model.config.vocabularySize,
      maxPositions: model.config.maxPositions)
  }

  public func render(_ messages: [ChatMessage], generationPrompt: Bool) throws -> String {
    guard let template = model.chatTemplate else {
      throw ModelError(.noChatTemplate, path: model.path)
    }
    return try template.render(
      messages, addGenerationPrompt: generationPrompt, variables: model.templateVariables)
  }

  public func hidden(
    _ groups: [TextModelGroup], between: (_ done: Int, _ of: Int) throws -> Void
  ) throws -> [TextModelStates] {
    for group in groups where group.positions > facts.maxPositions {
      throw ModelError(
        .promptTooLong(tokens: group.positions, limit: facts.maxPositions), path: model.path)
    }
    var states = groups.map {
      TextModelStates(sequences: [[Float]](repeating: [], count: $0.sequences.count))
    }
    let plan = passes.parts(groups)
    for (number, parts) in plan.enumerated() {
      var pass = HiddenStatePass()
      for part in parts { pass.append(part, of: groups[part.group]) }
      var values = try read(pass)[...]
      func take(_ rows: Int) -> [Float] {
        let taken = values.prefix(rows * facts.hiddenSize)
        values = values.dropFirst(rows * facts.hiddenSize)
        return Array(taken)
      }
      for part in parts {
        let group = groups[part.group]
        if part.readsPrefix { states[part.group].prefix = take(group.prefix.rows.count) }
        for place in part.sequences {
          states[part.group].sequences[place] = take(group.sequences[place].rows.count)
        }
      }
      try between(number + 1, plan.count)
    }
    return states
  }

  /// [rows, C] of one pass.
  private func read(_ pass: HiddenStatePass) throws -> [Float] {
    guard !pass.rows.isEmpty else { return [] }
    let graph = Graph(model.backend)
    let hidden = try model.architecture.hidden(pass.batch, graph, cached: nil)
    let values = try graph.gather(hidden, rows: pass.rows).value.array()
    guard values.allSatisfy(\.isFinite) else { throw DamagedWeights(path: model.path) }
    return values
  }

  public func logits(_ hidden: [Float], rows: Int, ids: [Int32]) throws -> [Float] {
    guard hasHead else {
      throw ModelError(.missingTensor(name: "lm_head.weight"), path: model.path)
    }
    precondition(hidden.count == rows * facts.hiddenSize, "one hidden state for each row")
    var chosen: [Float] = []
    // All V logits of a few rows at a time: V is large.
    for first in stride(from: 0, to: rows, by: Self.logitRows) {
      let count = min(Self.logitRows, rows - first)
      let piece = hidden[(first * facts.hiddenSize)..<((first + count) * facts.hiddenSize)]
      let graph = Graph(model.backend)
      let states = Tensor(
        Array(piece), shape: [count, facts.hiddenSize], pool: model.backend.pool)
      let all = try model.logits(graph.constant(states), graph)
      for row in 0..<count {
        for id in ids { chosen.append(all.floats[row * facts.vocabularySize + Int(id)]) }
      }
    }
    return chosen
  }

  private static let logitRows = 64
}

/// Weights that give no numbers.
struct DamagedWeights: Error, CustomStringConvertible {
  var path: String

  var description: String {
    "\(path) gives hidden states that are not finite; its weights are damaged"
  }
}
