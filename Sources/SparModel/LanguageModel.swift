import Foundation
import SparCompute
import SparText

/// A causal language model ready for work: weights on a backend, and tokenizer and chat template
/// where its files have them.
public final class LanguageModel: @unchecked Sendable {
  public let config: ModelConfig
  public let backend: Backend
  public let architecture: any Architecture
  /// nil for a model that takes and gives ids alone.
  public let storedTokenizer: Tokenizer?
  public let chatTemplate: ChatTemplate?
  /// Where it was read from.
  public let path: String
  private let identity: WeightsIdentity
  /// Identity of the weights as they were loaded: another for other values, whatever the file.
  public var digest: String { identity.digest }

  /// What texts go through.
  public var tokenizer: Tokenizer {
    get throws(ModelError) {
      guard let storedTokenizer else { throw ModelError(.noTokenizer, path: path) }
      return storedTokenizer
    }
  }

  public convenience init(
    config: ModelConfig, backend: Backend, architecture: any Architecture, tokenizer: Tokenizer?,
    chatTemplate: ChatTemplate?, path: String, digest: String
  ) {
    self.init(
      config: config, backend: backend, architecture: architecture, tokenizer: tokenizer,
      chatTemplate: chatTemplate, path: path, identity: WeightsIdentity(digest))
  }

  init(
    config: ModelConfig, backend: Backend, architecture: any Architecture, tokenizer: Tokenizer?,
    chatTemplate: ChatTemplate?, path: String, identity: WeightsIdentity
  ) {
    self.config = config
    self.backend = backend
    self.architecture = architecture
    storedTokenizer = tokenizer
    self.chatTemplate = chatTemplate
    self.path = path
    self.identity = identity
  }

  /// Ids that end an answer; the first is what training appends.
  public var endIDs: [Int32] {
    let own = storedTokenizer?.eos.map { [$0] } ?? []
    return own + config.eos.filter { !own.contains($0) }
  }

  /// The conversation as the model's template renders it, ready for the answer.
  public func prompt(_ messages: [ChatMessage]) throws -> [Int32] {
    // Without a tokenizer a template would not help.
    let tokenizer = try tokenizer
    guard let chatTemplate else { throw ModelError(.noChatTemplate, path: path) }
    let text = try chatTemplate.render(
      messages, addGenerationPrompt: true, variables: templateVariables)
    return tokenizer.encode(text)
  }

  /// An answer's ids with the end token.
  public func answer(_ text: String) throws(ModelError) -> [Int32] {
    try tokenizer.encode(text) + endIDs.prefix(1)
  }

  /// bos_token, eos_token and the like, as templates expect them.
  public var templateVariables: [String: JinjaValue] { storedTokenizer?.templateVariables ?? [:] }

  /// Log-probabilities (nats) of `batch.targets`, without gradients.
  public func logps(_ batch: ScoringBatch) throws -> [Float] {
    guard !batch.targets.isEmpty else { return [] }
    let graph = Graph(backend)
    let hidden = try architecture.hidden(batch.packed, graph, cached: nil)
    let rows = try graph.gather(hidden, rows: batch.heads)
    return try architecture.logps(of: rows, targets: batch.targets, graph).value.array()
  }
}
