import Foundation
import SparCompute
import SparText

/// An encoder ready for work: weights on a backend, and its tokenizer.
///
/// Reads folders with config.json, model.safetensors and tokenizer.json whose encoder is DeBERTa-v2
/// or -v3, its tensors named as transformers names them, behind "deberta.", behind
/// "pretrained_model.", or behind nothing.
public final class EncoderModel: @unchecked Sendable {
  // Unchecked: calls are serial, as everything on a backend.

  public let config: DebertaV2Config
  public let backend: Backend
  public let encoder: DebertaV2
  /// All tensors of the files, those of heads too.
  public let weights: any WeightSource
  /// config.json as it is in the folder.
  public let configJSON: String
  /// Where it was read from.
  public let path: String
  /// Identity of the encoder's weights.
  public let digest: String
  private var layerPositions: [DebertaV2.LayerPositions]?

  /// "deberta-v2", which also stands for version 3.
  public static let modelType = "deberta-v2"

  /// Whether config.json describes an encoder that this class reads; what is no JSON object is none.
  public static func reads(config data: Data) -> Bool {
    do throws(JSONSyntaxError) {
      let object = try JSONParser.parse(data)
      return object["model_type"]?.string == modelType || isRankerConfig(object)
    } catch {
      return false
    }
  }

  /// LLM-Blender's rankers come with the ranker's settings as config.json, without the encoder's.
  private static func isRankerConfig(_ object: JSONNode) -> Bool {
    object["ranker_type"]?.string != nil && object["hidden_size"] == nil
  }

  /// The encoder's shape, from config.json or, for LLM-Blender's rankers, from the tensors.
  static func config(
    _ data: Data, _ weights: any WeightSource, prefix: String, path: String
  ) throws -> DebertaV2Config {
    isRankerConfig(try ConfigFields(data: data, path: path).node)
      ? try DebertaV2Config(largeLike: weights, prefix: prefix, path: path)
      : try DebertaV2Config(json: data, path: path)
  }

  /// Reads the encoder of a folder with config.json and safetensors; no tokenizer is needed.
  public static func load(
    _ folder: String, backend: Backend, weights: WeightsPolicy = .f32
  ) throws -> EncoderModel {
    let config = folder + "/config.json"
    guard let data = FileManager.default.contents(atPath: config) else {
      throw ModelError(.notFound(tried: [config]), path: folder)
    }
    guard reads(config: data) else {
      let found = try ConfigFields(data: data, path: config).string("model_type")
      throw ModelError(
        .unknownArchitecture(found: found ?? "(none)", known: [modelType]), path: folder)
    }
    return try EncoderModel(
      config: data, weights: SafetensorsFolder(folder), keeping: weights, path: folder,
      backend: backend)
  }

  /// Builds the encoder of a folder's files.
  ///
  /// - Parameter policy: how the matrices stay in memory; f32 unless the model only infers.
  public convenience init(
    config data: Data, weights: any WeightSource, keeping policy: WeightsPolicy = .f32,
    path: String, backend: Backend
  ) throws {
    let prefix = try Self.prefix(weights, path: path)
    try self.init(
      Self.config(data, weights, prefix: prefix, path: path), weights, policy, prefix: prefix,
      configJSON: String(decoding: data, as: UTF8.self), path: path, backend: backend)
  }

  /// An encoder of this shape with these weights.
  public convenience init(
    _ config: DebertaV2Config, _ weights: any WeightSource, keeping policy: WeightsPolicy = .f32,
    backend: Backend
  ) throws {
    try self.init(
      config, weights, policy, prefix: "", configJSON: "{}", path: weights.path, backend: backend)
  }

  private init(
    _ config: DebertaV2Config, _ weights: any WeightSource, _ policy: WeightsPolicy,
    prefix: String, configJSON: String, path: String, backend: Backend
  ) throws {
    let loading = try WeightsLoading(weights, policy, backend: backend)
    encoder = try DebertaV2(config, prefix: prefix, load: loading.parameter)
    self.config = config
    self.backend = backend
    self.weights = weights
    self.configJSON = configJSON
    self.path = path
    digest = try loading.identity().digest
  }

  /// What stands before "embeddings.word_embeddings.weight" in the files.
  static func prefix(_ weights: any WeightSource, path: String) throws -> String {
    let name = "embeddings.word_embeddings.weight"
    let prefixes = ["", "deberta.", "pretrained_model.", "pretrained_model.deberta."]
    guard let found = prefixes.first(where: { weights.entry($0 + name) != nil }) else {
      throw ModelError(.missingTensor(name: "deberta." + name), path: path)
    }
    return found
  }

  /// Hidden states [rows.count, C] at the named rows of packed sequences, without gradients.
  ///
  /// The projected positions are computed at the first call and kept: they depend on weights only.
  /// `rows` count from the first token of the first sequence.
  public func hidden(_ sequences: [[Int32]], rows: [Int32]) throws -> [Float] {
    guard !rows.isEmpty else { return [] }
    let graph = Graph(backend)
    let positions = try layerPositions ?? encoder.layerPositions(graph)
    layerPositions = positions
    var ranges: [Range<Int>] = []
    for sequence in sequences where !sequence.isEmpty {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + sequence.count)
    }
    return try encoder.hidden(
      sequences.flatMap(\.self), sequences: ranges, rows: rows, graph, layerPositions: positions
    ).value.array()
  }
}

extension DebertaV2Config {
  /// The shape that an encoder's tensors have, and of what they do not tell, deberta-v3-large's:
  /// heads of 64, 512 positions, LayerNorm's ε 1e-7, shared projections and both score terms.
  init(largeLike weights: any WeightSource, prefix: String, path: String) throws {
    func shape(_ name: String) throws -> (rows: Int, columns: Int) {
      guard let entry = weights.entry(prefix + name) else {
        throw ModelError(.missingTensor(name: prefix + name), path: path)
      }
      guard entry.shape.count == 2, entry.shape.allSatisfy({ $0 > 0 }) else {
        throw ModelError(
          .shape(name: prefix + name, found: entry.shape, expected: [1, 1]), path: path)
      }
      return (entry.shape[0], entry.shape[1])
    }
    let words = try shape("embeddings.word_embeddings.weight")
    let table = try shape("encoder.rel_embeddings.weight")
    let feed = try shape("encoder.layer.0.intermediate.dense.weight")
    var layers = 1
    while weights.entry(prefix + "encoder.layer.\(layers).intermediate.dense.weight") != nil {
      layers += 1
    }
    let known = Self.pairRM
    let size = known.headSize
    guard words.columns % size == 0 else {
      throw ModelError(
        .config(
          field: "num_attention_heads",
          problem: "missing, and \(words.columns) channels are no heads of \(size)"), path: path)
    }
    self.init(
      vocabularySize: words.rows, hiddenSize: words.columns, intermediateSize: feed.rows,
      layers: layers, heads: words.columns / size, positionRows: table.rows / 2,
      maxRelativePositions: known.maxRelativePositions)
    try checkPositions(path: path)
  }
}
