import SparCompute
import SparModel
import SparTensor

/// A model whose parameters are trained, apart from tokenizer and files.
public struct TrainableModel {
  public var architecture: any Architecture
  public var backend: Backend
  /// Identity of the initial weights.
  public var digest: String
  /// What a checkpoint carries along so that it is a whole model.
  public var texts: CheckpointTexts

  public init(
    architecture: any Architecture, backend: Backend, digest: String, texts: CheckpointTexts
  ) {
    self.architecture = architecture
    self.backend = backend
    self.digest = digest
    self.texts = texts
  }
}

/// The texts beside the weights.
public struct CheckpointTexts: Equatable, Sendable {
  /// config.json
  public var config: String
  /// tokenizer.json; nil for a model without one.
  public var tokenizer: String?
  /// tokenizer_config.json without the template: which tokens have a role.
  public var tokenizerConfig: String?
  public var chatTemplate: String?

  public init(
    config: String, tokenizer: String? = nil, tokenizerConfig: String? = nil,
    chatTemplate: String? = nil
  ) {
    self.config = config
    self.tokenizer = tokenizer
    self.tokenizerConfig = tokenizerConfig
    self.chatTemplate = chatTemplate
  }
}

/// One forward pass over whole groups.
struct ScoredPass {
  let graph: Graph
  /// Log-probabilities of all answer tokens, answer after answer.
  let output: Variable
  let tokenLogps: [Float]
  /// Sum over the vocabulary of p^2 for the same tokens; empty unless asked for.
  let tokenSumP2: [Float]
  /// Entropy of each token's distribution, in nats.
  let tokenEntropies: [Float]
}

extension TrainableModel {
  /// Scores the answers of `groups`; with `recording` the pass can be differentiated.
  func score(
    _ groups: some Sequence<TrainingGroup>, recording: Bool, sumP2: Bool = false
  ) throws -> ScoredPass {
    var batch = ScoringBatch()
    for group in groups {
      batch.append(prompt: group.promptIDs, answers: group.answers.map(\.ids))
    }
    let graph = Graph(backend, recording: recording)
    let hidden = try architecture.hidden(batch.packed, graph, cached: nil)
    let rows = try graph.gather(hidden, rows: batch.heads)
    let entropy = backend.tensor([batch.targets.count])
    let squares = sumP2 ? backend.tensor([batch.targets.count]) : nil
    let output = try architecture.logps(
      of: rows, targets: batch.targets, graph, entropy: entropy, sumOfSquares: squares)
    return ScoredPass(
      graph: graph, output: output, tokenLogps: output.value.array(),
      tokenSumP2: squares?.array() ?? [], tokenEntropies: entropy.array())
  }
}
