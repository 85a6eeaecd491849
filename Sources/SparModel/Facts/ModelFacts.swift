import Foundation
import SparText

/// What a model on disk is, without its weights being read.
public struct ModelFacts: Encodable, Sendable {
  public struct Weights: Encodable, Sendable, Equatable {
    public var type: String
    public var tensors: Int
    public var values: Int
    public var bytes: Int
  }
  public struct File: Encodable, Sendable, Equatable {
    public var name: String
    public var bytes: Int
  }
  public struct TokenizerFacts: Encodable, Sendable {
    /// Of tokenizer.json: BPE, Unigram, WordPiece.
    public var kind: String
    public var vocabularySize: Int
    /// By role: bos, eos, pad, unk.
    public var specialTokens: [String: String]
    public var digest: String
  }

  public var path: String
  public var format: String
  public var modelType: String
  public var architecture: String?
  /// Tied weights once.
  public var parameters: Int
  public var layers: Int
  public var hiddenSize: Int
  public var intermediateSize: Int
  public var heads: Int
  public var keyHeads: Int
  public var headSize: Int
  public var vocabularySize: Int
  public var maxPositions: Int
  public var tiedEmbeddings: Bool
  /// Most values first.
  public var weights: [Weights]
  public var files: [File]
  public var memory: ModelMemory
  public var tokenizer: TokenizerFacts?
  /// What ends an answer: tokens, or ids where there is no tokenizer.
  public var endTokens: [String]
  public var chatTemplate: TemplateFacts?
  public var license: String?
  /// Optimizer steps of a training checkpoint, where it has been trained.
  public var step: Int?

  /// - Throws: `ModelError` for a model that could not be loaded either.
  public init(_ files: ModelFiles) throws {
    let shape = try ModelShape(files)
    path = files.path
    modelType = shape.modelType
    architecture = try ConfigFields(data: files.config, path: files.path)
      .strings("architectures")?.first
    layers = shape.layers
    hiddenSize = shape.hiddenSize
    intermediateSize = shape.intermediateSize
    heads = shape.heads
    keyHeads = shape.keyHeads
    headSize = shape.headSize
    vocabularySize = shape.vocabularySize
    maxPositions = shape.maxPositions
    let isTied = shape.tieEmbeddings
    tiedEmbeddings = isTied
    let entries = files.weights.entries
    let untied = entries.filter { !(isTied && $0.name == "lm_head.weight") }
    parameters = untied.reduce(0) { $0 + $1.count }
    weights = Self.histogram(entries)
    memory = ModelMemory(
      parameters: parameters, storedBytes: weights.reduce(0) { $0 + $1.bytes }, layers: layers,
      hidden: hiddenSize, inner: intermediateSize, queries: heads * headSize,
      keys: keyHeads * headSize)
    switch files.weights {
    case is GGUFLlamaSource: format = "GGUF"
    case is HDF5WeightSource: format = "HDF5 checkpoint"
    default: format = "Hugging Face folder"
    }
    self.files = try Self.sizes(files)
    tokenizer = files.storedTokenizer.map(Self.describe)
    endTokens = try ModelTexts.endIDs(files).map { files.storedTokenizer?.token($0) ?? "\($0)" }
    chatTemplate = try TemplateFacts(files)
    license = try ModelLicense.identifier(of: files)
    if let stored = files.weights as? HDF5WeightSource, stored.checkpoint.header.step > 0 {
      step = stored.checkpoint.header.step
    }
  }

  private static func histogram(_ entries: [WeightEntry]) -> [Weights] {
    Dictionary(grouping: entries, by: \.type).map { type, entries in
      let values = entries.reduce(0) { $0 + $1.count }
      return Weights(
        type: type.rawValue, tensors: entries.count, values: values,
        bytes: entries.reduce(0) { $0 + ($1.type.byteCount(of: $1.count) ?? 0) })
    }.sorted { ($0.values, $0.type) > ($1.values, $1.type) }
  }

  private static func sizes(_ files: ModelFiles) throws -> [File] {
    let manager = FileManager.default
    func size(_ path: String) throws -> Int {
      (try manager.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
    }
    guard files.weights is SafetensorsFolder else {
      return [File(name: (files.path as NSString).lastPathComponent, bytes: try size(files.path))]
    }
    return try manager.contentsOfDirectory(atPath: files.path).sorted()
      .filter { $0.hasSuffix(".safetensors") }
      .map { File(name: $0, bytes: try size(files.path + "/" + $0)) }
  }

  private static func describe(_ tokenizer: Tokenizer) -> TokenizerFacts {
    let named = [
      ("bos", tokenizer.bosToken), ("eos", tokenizer.eosToken), ("pad", tokenizer.padToken),
      ("unk", tokenizer.unkToken),
    ].compactMap { role, token in token.map { (role, $0) } }
    return TokenizerFacts(
      kind: tokenizer.kind, vocabularySize: tokenizer.vocabularySize,
      specialTokens: Dictionary(named, uniquingKeysWith: { first, _ in first }),
      digest: tokenizer.digest)
  }
}
