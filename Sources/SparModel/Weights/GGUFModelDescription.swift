import Foundation

/// What the metadata of a GGUF file of a decoder says about the model, and the `config.json` that
/// Hugging Face would have for it.
public struct GGUFModelDescription: Sendable, Equatable {
  /// `general.architecture`: llama, qwen2, qwen3, gemma2 or phi3.
  public var architecture: String
  public var hiddenSize: Int
  public var intermediateSize: Int
  public var layerCount: Int
  public var headCount: Int
  public var keyValueHeadCount: Int
  public var headSize: Int
  public var normEpsilon: Double
  public var ropeTheta: Double
  /// nil without scaling.
  public var ropeScaling: GGUFRopeScaling?
  public var vocabularySize: Int
  public var contextLength: Int
  /// True when the file has no `output.weight`.
  public var tiesWordEmbeddings: Bool
  public var attentionBias: Bool
  public var feedForwardBias: Bool
  /// Values of each head that are rotated.
  public var rotarySize: Int
  /// Keys that a query sees in layers with a window; 0 = all; nil = the file does not say.
  public var slidingWindow: Int?
  /// Gemma 2's caps on scores and logits.
  public var attentionSoftcap: Double?
  public var logitSoftcap: Double?
  public var tokenizer: GGUFTokenizerMetadata

  /// Architectures that are read.
  static let readable = ["llama", "qwen2", "qwen3", "gemma2", "phi3"]

  /// The names and the layout of its tensors.
  var names: GGUFTensorNames {
    guard let names = GGUFTensorNames.named(architecture) else {
      preconditionFailure("every readable architecture has names")
    }
    return names
  }

  /// - Throws: `WeightError` for another architecture, a key that is missing or of another type,
  ///   and sizes that contradict the tensors.
  public init(_ file: GGUFFile) throws(WeightError) {
    guard let architecture = try file.string("general.architecture") else {
      throw WeightError(file.path, .malformed("metadata general.architecture is missing"))
    }
    guard Self.readable.contains(architecture) else {
      let known = Self.readable.joined(separator: ", ")
      throw WeightError(
        file.path,
        .unsupported("architecture \(architecture); from GGUF this build reads \(known)"))
    }
    self.architecture = architecture
    func required(_ key: String) throws(WeightError) -> Int {
      guard let value = try file.int("\(architecture).\(key)"), value > 0 else {
        throw WeightError(
          file.path, .malformed("metadata \(architecture).\(key) is missing or not positive"))
      }
      return value
    }
    hiddenSize = try required("embedding_length")
    intermediateSize = try required("feed_forward_length")
    layerCount = try required("block_count")
    headCount = try required("attention.head_count")
    keyValueHeadCount = try file.int("\(architecture).attention.head_count_kv") ?? headCount
    let keyLength = try file.int("\(architecture).attention.key_length")
    let rotaryLength = try file.int("\(architecture).rope.dimension_count")
    // Phi-3 may rotate a part of each head, the others rotate all of it.
    headSize =
      keyLength ?? (architecture == "phi3" ? nil : rotaryLength) ?? hiddenSize / headCount
    rotarySize = rotaryLength ?? headSize
    guard keyValueHeadCount > 0, headSize > 0, headCount % keyValueHeadCount == 0 else {
      throw WeightError(
        file.path,
        .malformed("\(headCount) heads, \(keyValueHeadCount) key heads, head size \(headSize)"))
    }
    guard rotarySize > 0, rotarySize <= headSize else {
      throw WeightError(
        file.path,
        .malformed("\(architecture).rope.dimension_count \(rotarySize), head size \(headSize)"))
    }
    contextLength = try required("context_length")
    guard let epsilon = try file.float("\(architecture).attention.layer_norm_rms_epsilon") else {
      throw WeightError(
        file.path,
        .malformed("metadata \(architecture).attention.layer_norm_rms_epsilon is missing"))
    }
    normEpsilon = epsilon
    ropeTheta = try file.float("\(architecture).rope.freq_base") ?? 10_000
    tokenizer = try GGUFTokenizerMetadata(file)
    guard let embedding = file.entry("token_embd.weight"), embedding.shape.count == 2,
      embedding.shape[1] == hiddenSize
    else {
      throw WeightError(
        file.path, .malformed("token_embd.weight is missing or not [vocabulary, \(hiddenSize)]"))
    }
    vocabularySize = embedding.shape[0]
    tiesWordEmbeddings = file.entry("output.weight") == nil
    attentionBias = file.entry("blk.0.attn_q.bias") != nil
    ropeScaling = try GGUFRopeScaling(
      file, architecture: architecture, rotarySize: rotarySize, theta: ropeTheta)
    feedForwardBias = file.entry("blk.0.ffn_gate.bias") != nil
    slidingWindow = try file.int("\(architecture).attention.sliding_window")
    if architecture == "gemma2" {
      attentionSoftcap = try file.float("gemma2.attn_logit_softcapping") ?? 50
      logitSoftcap = try file.float("gemma2.final_logit_softcapping") ?? 30
    }
  }

  /// Hugging Face's `model_type`: a Llama with a window is a Mistral.
  private var modelType: String {
    architecture == "llama" && (slidingWindow ?? 0) > 0 ? "mistral" : architecture
  }

  private static let classes = [
    "llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM", "gemma2": "Gemma2ForCausalLM", "phi3": "Phi3ForCausalLM",
  ]

  /// `config.json` as UTF-8, keys sorted.
  public func configJSON() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    var config = HuggingFaceConfig(
      architectures: Self.classes[modelType].map { [$0] }, modelType: modelType,
      hiddenSize: hiddenSize, intermediateSize: intermediateSize, numHiddenLayers: layerCount,
      numAttentionHeads: headCount, numKeyValueHeads: keyValueHeadCount, headDim: headSize,
      rmsNormEps: normEpsilon, ropeTheta: ropeTheta, ropeScaling: ropeScaling,
      vocabSize: vocabularySize, maxPositionEmbeddings: contextLength,
      tieWordEmbeddings: tiesWordEmbeddings, attentionBias: attentionBias,
      mlpBias: feedForwardBias, bosTokenId: tokenizer.bosID, eosTokenId: tokenizer.eosID,
      padTokenId: tokenizer.paddingID, slidingWindow: slidingWindow)
    if architecture == "gemma2" {
      config.hiddenAct = "gelu_pytorch_tanh"
      config.hiddenActivation = "gelu_pytorch_tanh"
      // Not stored: llama.cpp knows the 27B model, which differs, by its layers.
      config.queryPreAttnScalar = layerCount == 46 ? hiddenSize / headCount : headSize
      config.attnLogitSoftcapping = attentionSoftcap
      config.finalLogitSoftcapping = logitSoftcap
    }
    // Written for the others too, whose reader refuses it: they rotate whole heads.
    if architecture == "phi3" || rotarySize != headSize {
      config.partialRotaryFactor = Double(rotarySize) / Double(headSize)
    }
    if architecture == "phi3" {
      config.originalMaxPositionEmbeddings =
        ropeScaling?.originalMaxPositionEmbeddings ?? contextLength
    }
    return try encoder.encode(config)
  }

  /// The keys of `config.json` in camel case; the encoder writes them in snake case, and those
  /// that are nil not at all.
  private struct HuggingFaceConfig: Encodable {
    var architectures: [String]?
    var modelType: String
    var hiddenSize: Int
    var intermediateSize: Int
    var numHiddenLayers: Int
    var numAttentionHeads: Int
    var numKeyValueHeads: Int
    var headDim: Int
    var rmsNormEps: Double
    var ropeTheta: Double
    var ropeScaling: GGUFRopeScaling?
    var vocabSize: Int
    var maxPositionEmbeddings: Int
    var tieWordEmbeddings: Bool
    var attentionBias: Bool
    var mlpBias: Bool
    var hiddenAct = "silu"
    var bosTokenId: Int32?
    var eosTokenId: Int32?
    var padTokenId: Int32?
    var torchDtype = "float32"
    var slidingWindow: Int?
    var hiddenActivation: String?
    var queryPreAttnScalar: Int?
    var attnLogitSoftcapping: Double?
    var finalLogitSoftcapping: Double?
    var partialRotaryFactor: Double?
    var originalMaxPositionEmbeddings: Int?
  }
}

/// The `tokenizer.ggml.*` metadata as stored.
public struct GGUFTokenizerMetadata: Sendable, Equatable {
  /// `gpt2` (byte-level BPE), `llama` (SentencePiece) …
  public var model: String?
  /// The pre-tokenizer's name, for example `smollm`.
  public var pre: String?
  public var tokens: [String]
  /// Per token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var types: [Int32]
  public var scores: [Double]
  /// `left right`, in order of rank.
  public var merges: [String]
  public var bosID: Int32?
  public var eosID: Int32?
  public var unknownID: Int32?
  public var paddingID: Int32?
  public var addsBOS: Bool?
  public var addsEOS: Bool?
  public var addsSpacePrefix: Bool?
  public var chatTemplate: String?

  public init(_ file: GGUFFile) throws(WeightError) {
    model = try file.string("tokenizer.ggml.model")
    pre = try file.string("tokenizer.ggml.pre")
    tokens = try file.stringArray("tokenizer.ggml.tokens") ?? []
    func narrow(_ value: Int, _ key: String) throws(WeightError) -> Int32 {
      guard let narrow = Int32(exactly: value) else {
        throw WeightError(
          file.path, .malformed("metadata tokenizer.ggml.\(key) holds \(value), beyond 32 bits"))
      }
      return narrow
    }
    func id(_ role: String) throws(WeightError) -> Int32? {
      guard let value = try file.int("tokenizer.ggml.\(role)_token_id") else { return nil }
      return try narrow(value, role + "_token_id")
    }
    types = []
    for type in try file.intArray("tokenizer.ggml.token_type") ?? [] {
      types.append(try narrow(type, "token_type"))
    }
    scores = try file.floatArray("tokenizer.ggml.scores") ?? []
    merges = try file.stringArray("tokenizer.ggml.merges") ?? []
    bosID = try id("bos")
    eosID = try id("eos")
    unknownID = try id("unknown")
    paddingID = try id("padding")
    addsBOS = try file.bool("tokenizer.ggml.add_bos_token")
    addsEOS = try file.bool("tokenizer.ggml.add_eos_token")
    addsSpacePrefix = try file.bool("tokenizer.ggml.add_space_prefix")
    chatTemplate = try file.string("tokenizer.chat_template")
    for (what, count) in [("token_type", types.count), ("scores", scores.count)]
    where count != 0 && count != tokens.count {
      throw WeightError(
        file.path,
        .malformed("tokenizer.ggml.\(what) has \(count) values for \(tokens.count) tokens"))
    }
  }
}
