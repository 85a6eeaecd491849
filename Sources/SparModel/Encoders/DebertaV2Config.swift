import Foundation

/// The shape of a DeBERTa-v2 or -v3 encoder.
public struct DebertaV2Config: Equatable, Sendable {
  /// Size of the vocabulary, V.
  public var vocabularySize: Int
  public var hiddenSize: Int
  public var intermediateSize: Int
  public var layers: Int
  public var heads: Int
  public var layerNormEpsilon = 1e-7
  /// Half the rows of the table of relative positions.
  public var positionRows: Int
  /// Distances share rows logarithmically beyond a quarter of the table; false: a row per distance.
  public var isLogarithmic = true
  /// The distance at which the last row is reached.
  public var maxRelativePositions: Int
  /// Whether the table of relative positions is layer-normed.
  public var normsPositions = true
  /// Whether positions are projected by the keys' and queries' own weights.
  public var sharesProjections = true
  /// Score terms beside query·key: query·position and key·position.
  public var queriesSeePositions = true
  public var keysSeePositions = true

  /// Reads config.json as transformers writes it.
  ///
  /// What some DeBERTa-v2 checkpoints have and this implementation has not (absolute positions, token
  /// types, a convolution, embeddings narrower than the model) is refused by name.
  public init(json data: Data, path: String) throws {
    let file = try ConfigFile.read(data, path: path)
    func problem(_ field: String, _ text: String) -> ModelError {
      ModelError(.config(field: field, problem: text), path: path)
    }
    func positive(_ field: String, _ value: Int?) throws -> Int {
      guard let value else { throw problem(field, "an integer is needed") }
      guard value > 0 else { throw problem(field, "\(value) is not positive") }
      return value
    }
    vocabularySize = try positive("vocab_size", file.vocabSize)
    hiddenSize = try positive("hidden_size", file.hiddenSize)
    intermediateSize = try positive("intermediate_size", file.intermediateSize)
    layers = try positive("num_hidden_layers", file.numHiddenLayers)
    heads = try positive("num_attention_heads", file.numAttentionHeads)
    layerNormEpsilon = file.layerNormEps ?? 1e-7
    let longest = file.maxRelativePositions ?? -1
    maxRelativePositions =
      longest > 0 ? longest : try positive("max_position_embeddings", file.maxPositionEmbeddings)
    let buckets = file.positionBuckets ?? -1
    isLogarithmic = buckets > 0
    positionRows = isLogarithmic ? buckets : maxRelativePositions
    normsPositions = file.normRelEbd?.lowercased().contains("layer_norm") ?? false
    sharesProjections = file.shareAttKey ?? false
    let terms = file.posAttType?.names ?? []
    queriesSeePositions = terms.contains("c2p")
    keysSeePositions = terms.contains("p2c")

    guard hiddenSize % heads == 0 else {
      throw problem("num_attention_heads", "\(heads) heads do not divide \(hiddenSize)")
    }
    if let size = file.attentionHeadSize, size != hiddenSize / heads {
      throw problem("attention_head_size", "\(size); only hidden_size / heads is done")
    }
    guard file.relativeAttention == true else {
      throw problem("relative_attention", "only encoders with relative attention are done")
    }
    guard file.positionBiasedInput == false else {
      throw problem("position_biased_input", "absolute positions are not done; false is needed")
    }
    guard (file.typeVocabSize ?? 0) == 0 else {
      throw problem("type_vocab_size", "token types are not done; 0 is needed")
    }
    guard (file.convKernelSize ?? 0) == 0 else {
      throw problem("conv_kernel_size", "the convolution layer is not done; 0 is needed")
    }
    if let size = file.embeddingSize, size != hiddenSize {
      throw problem("embedding_size", "\(size) differs from hidden_size \(hiddenSize)")
    }
    guard (file.hiddenAct ?? "gelu") == "gelu" else {
      throw problem("hidden_act", "\"\(file.hiddenAct ?? "")\" is not done; gelu is")
    }
    if let unknown = terms.first(where: { $0 != "c2p" && $0 != "p2c" }) {
      throw problem("pos_att_type", "\"\(unknown)\" is not known; known: c2p, p2c")
    }
    try checkPositions(path: path)
  }

  /// A damaged file must not make a table for a billion distances, nor one whose ends no distance
  /// reaches.
  func checkPositions(path: String) throws {
    guard maxRelativePositions <= 1 << 20 else {
      throw ModelError(
        .config(
          field: "max_relative_positions", problem: "\(maxRelativePositions) is more than 1048576"),
        path: path)
    }
    guard isLogarithmic else { return }
    guard positionRows >= 4, positionRows % 2 == 0, maxRelativePositions - 1 > positionRows / 2
    else {
      throw ModelError(
        .config(
          field: "position_buckets",
          problem: "\(positionRows) buckets do not reach \(maxRelativePositions) positions; "
            + "an even number from 4 on is needed, less than twice the positions"), path: path)
    }
  }

  init(
    vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layers: Int, heads: Int,
    positionRows: Int, maxRelativePositions: Int
  ) {
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.layers = layers
    self.heads = heads
    self.positionRows = positionRows
    self.maxRelativePositions = maxRelativePositions
  }

  /// deberta-v3-large, with PairRM's four more tokens.
  public static let pairRM = DebertaV2Config(
    vocabularySize: 128_005, hiddenSize: 1024, intermediateSize: 4096, layers: 24, heads: 16,
    positionRows: 256, maxRelativePositions: 512)

  public var headSize: Int { hiddenSize / heads }

  /// 1 / sqrt(head size · number of score terms).
  public var scale: Double {
    let terms = 1 + (queriesSeePositions ? 1 : 0) + (keysSeePositions ? 1 : 0)
    return 1 / Double(headSize * terms).squareRoot()
  }

  /// Weights that multiply every token: those of the layers' dense products.
  public var denseWeights: Int {
    layers * (4 * hiddenSize * hiddenSize + 2 * hiddenSize * intermediateSize)
  }

  /// Parameters of the encoder.
  public var parameterCount: Int {
    let square = hiddenSize * hiddenSize + hiddenSize
    let feed = 2 * hiddenSize * intermediateSize + intermediateSize + hiddenSize
    let projections = (queriesSeePositions ? square : 0) + (keysSeePositions ? square : 0)
    let own = sharesProjections ? 0 : projections
    let table = 2 * positionRows * hiddenSize + (normsPositions ? 2 * hiddenSize : 0)
    return vocabularySize * hiddenSize + 2 * hiddenSize + table
      + layers * (4 * square + feed + 4 * hiddenSize + own)
  }
}

/// The fields of config.json that matter here.
private struct ConfigFile: Decodable {
  var vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads: Int?
  var attentionHeadSize, embeddingSize, typeVocabSize, convKernelSize: Int?
  var maxPositionEmbeddings, maxRelativePositions, positionBuckets: Int?
  var layerNormEps: Double?
  var relativeAttention, positionBiasedInput, shareAttKey: Bool?
  var hiddenAct, normRelEbd: String?
  var posAttType: Terms?

  /// "p2c|c2p" or ["p2c", "c2p"].
  struct Terms: Decodable {
    var names: [String]

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      do {
        names = try value.decode([String].self)
      } catch {
        names = try value.decode(String.self).lowercased().split(separator: "|").map {
          $0.trimmingCharacters(in: .whitespaces)
        }
      }
    }
  }

  static func read(_ data: Data, path: String) throws -> ConfigFile {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(ConfigFile.self, from: data)
    } catch DecodingError.typeMismatch(_, let context) {
      let field = context.codingPath.first?.stringValue ?? "(all)"
      throw ModelError(.config(field: field, problem: context.debugDescription), path: path)
    } catch {
      throw ModelError(.config(field: "(all)", problem: "\(error)"), path: path)
    }
  }
}
