import Foundation
import SparModel

/// Sizes of a model, as far as its cost depends on them; weights are not needed.
public enum PlannedModel: Equatable, Sendable {
  case decoder(ModelConfig)
  case encoder(DebertaV2Config)

  /// Reads a config.json.  One of a pair ranker without its encoder's sizes is of PairRM's.
  public init(config path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ModelError(.notFound(tried: [path]), path: path)
    }
    struct Kind: Decodable {
      var modelType: String?
      var hiddenSize: Int?
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let kind: Kind
    do {
      kind = try decoder.decode(Kind.self, from: data)
    } catch {
      throw ModelError(.config(field: "(all)", problem: "is not a JSON object"), path: path)
    }
    if kind.hiddenSize == nil {
      self = .encoder(.pairRM)
    } else if kind.modelType?.hasPrefix("deberta") == true {
      self = .encoder(try DebertaV2Config(json: data, path: path))
    } else {
      self = .decoder(try ModelConfig(json: data, path: path))
    }
  }

  /// Of a model on this machine, or of `config` where it is not here; nil where neither is.
  public init?(model: String, config: String) throws {
    switch Self.location(model) {
    case .huggingFace(let folder)?:
      self = try PlannedModel(config: folder + "/config.json")
    case .gguf(let file)?:
      self = .decoder(try ModelConfig(json: ModelFiles.gguf(file).config, path: file))
    case .checkpoint(let file)?:
      self = .decoder(try ModelConfig(json: ModelFiles.checkpoint(file).config, path: file))
    case nil:
      if config.isEmpty { return nil }
      self = try PlannedModel(config: config)
    }
  }

  /// Where the model is; nil where it is not on this machine.
  static func location(_ model: String) -> ModelLocation? {
    do {
      return try ModelLocation.resolve(model)
    } catch {
      return nil
    }
  }

  public var parameters: Double {
    switch self {
    case .decoder(let config): Double(config.parameterCount)
    case .encoder(let config): Double(config.parameterCount)
    }
  }

  public var isEncoder: Bool {
    if case .encoder = self { true } else { false }
  }

  /// Weights of the layers that multiply every token.
  var denseWeights: Double {
    switch self {
    case .decoder(let config):
      let width = Double(config.headSize * (2 * config.heads + 2 * config.keyHeads))
      let hidden = Double(config.hiddenSize)
      return Double(config.layers) * hidden * (width + 3 * Double(config.intermediateSize))
    case .encoder(let config): return Double(config.denseWeights)
    }
  }

  /// Weights that multiply a token whose successor is predicted.
  var headWeights: Double {
    switch self {
    case .decoder(let config): Double(config.vocabularySize * config.hiddenSize)
    case .encoder: 0
    }
  }

  /// Operations of attention for `tokens` that see `context` tokens each: scores and sums; an encoder
  /// scores positions, too.
  func attention(_ tokens: Double, context: Double) -> Double {
    switch self {
    case .decoder(let config):
      return 4 * Double(config.layers * config.heads * config.headSize) * tokens * context
    case .encoder(let config):
      let positions = min(2 * Double(config.positionRows), context)
      return Double(config.layers * config.hiddenSize) * tokens * (4 * context + 4 * positions)
    }
  }

  /// Operations of a forward pass without the head.
  func forward(_ tokens: Double, context: Double) -> Double {
    2 * denseWeights * tokens + attention(tokens, context: context)
  }

  /// Bytes of keys and values of one token, f32.
  var cacheBytesPerToken: Double {
    switch self {
    case .decoder(let config): 8 * Double(config.layers * config.keyHeads * config.headSize)
    case .encoder: 0
    }
  }

  /// Bytes that a pass keeps of each row for its way back, f32: the formula of `spar model info`.
  var keptBytesPerRow: Double {
    switch self {
    case .decoder(let config):
      let channels =
        6 * config.hiddenSize + 3 * config.heads * config.headSize
        + 3 * config.keyHeads * config.headSize + 3 * config.intermediateSize
      return 4 * Double(config.layers * channels)
    case .encoder: return 0
    }
  }

  /// Rows of the vocabulary; 0 for an encoder.
  var vocabularySize: Int {
    if case .decoder(let config) = self { config.vocabularySize } else { 0 }
  }
}
