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
    let fields = try ConfigFields(data: data, path: path)
    vocabularySize = try fields.required("vocab_size")
    hiddenSize = try fields.required("hidden_size")
    intermediateSize = try fields.required("intermediate_size")
    layers = try fields.required("num_hidden_layers")
    heads = try fields.required("num_attention_heads")
    layerNormEpsilon = try fields.number("layer_norm_eps", default: 1e-7)
    // -1 and null leave both to others.
    let longest = try fields.signed("max_relative_positions") ?? -1
    maxRelativePositions =
      longest > 0 ? longest : try fields.required("max_position_embeddings")
    let buckets = try fields.signed("position_buckets") ?? -1
    isLogarithmic = buckets > 0
    positionRows = isLogarithmic ? buckets : maxRelativePositions
    normsPositions = try fields.string("norm_rel_ebd")?.lowercased().contains("layer_norm") ?? false
    sharesProjections = try fields.boolean("share_att_key", default: false)
    let terms = try Self.terms(fields)
    queriesSeePositions = terms.contains("c2p")
    keysSeePositions = terms.contains("p2c")
    try refuse(fields)
    try checkPositions(path: path)
  }

  /// "p2c|c2p" or ["p2c", "c2p"].
  private static func terms(_ fields: ConfigFields) throws -> [String] {
    let name = "pos_att_type"
    let listed = fields.node[name]?.array != nil
    let terms =
      listed
      ? try fields.strings(name) ?? []
      : (try fields.string(name) ?? "").lowercased().split(separator: "|").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    if let unknown = terms.first(where: { $0 != "c2p" && $0 != "p2c" }) {
      throw fields.wrong(name, "\"\(unknown)\" is not known; known: c2p, p2c")
    }
    return terms
  }

  private func refuse(_ fields: ConfigFields) throws {
    guard hiddenSize % heads == 0 else {
      throw fields.wrong("num_attention_heads", "\(heads) heads do not divide \(hiddenSize)")
    }
    if let size = try fields.signed("attention_head_size"), size != hiddenSize / heads {
      throw fields.wrong("attention_head_size", "\(size); only hidden_size / heads is done")
    }
    guard try fields.boolean("relative_attention", default: false) else {
      throw fields.wrong(
        "relative_attention", "only encoders with relative attention are done")
    }
    guard try !fields.boolean("position_biased_input", default: true) else {
      throw fields.wrong(
        "position_biased_input", "absolute positions are not done; false is needed")
    }
    if let types = try fields.integerLimit("type_vocab_size") {
      throw fields.wrong("type_vocab_size", "\(types): token types are not done; 0 is needed")
    }
    if let size = try fields.integerLimit("conv_kernel_size") {
      throw fields.wrong(
        "conv_kernel_size", "\(size): the convolution layer is not done; 0 is needed")
    }
    if let size = try fields.signed("embedding_size"), size != hiddenSize {
      throw fields.wrong("embedding_size", "\(size) differs from hidden_size \(hiddenSize)")
    }
    if let activation = try fields.string("hidden_act"), activation != "gelu" {
      throw fields.wrong("hidden_act", "\"\(activation)\" is not done; gelu is")
    }
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
