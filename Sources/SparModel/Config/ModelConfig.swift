import Foundation
import SparCompute
import SparText

/// The shape of a decoder-only transformer, from a Hugging Face config.json.
///
/// What all architectures share is read here; each file in Architectures reads its own.
public struct ModelConfig: Equatable, Sendable {
  public internal(set) var modelType: String
  public internal(set) var hiddenSize: Int
  public internal(set) var intermediateSize: Int
  public internal(set) var layers: Int
  public internal(set) var heads: Int
  public internal(set) var keyHeads: Int
  public internal(set) var headSize: Int
  public internal(set) var vocabularySize: Int
  public internal(set) var rmsEpsilon: Double
  public internal(set) var ropeTheta = 10_000.0
  public internal(set) var ropeScaling = RopeScaling.none
  /// Values of each head that are rotated; the rest is left as it is.
  public internal(set) var rotarySize: Int
  public internal(set) var tieEmbeddings: Bool
  /// Tokens that a sequence may have.
  public internal(set) var maxPositions: Int
  public internal(set) var attention = AttentionOptions()
  public internal(set) var feedForward = FeedForwardOptions()
  public internal(set) var norms = NormOptions()
  /// What embeddings are multiplied by.
  public internal(set) var embeddingScale = 1.0
  /// c of c tanh(z / c) on the logits; 0 = off.
  public internal(set) var logitSoftcap = 0.0
  public internal(set) var bos: Int32?
  /// Every id that ends an answer.
  public internal(set) var eos: [Int32]
  /// config.json itself, with the fields that no code here knows.
  let source: JSONNode

  /// Reads config.json, in the spelling of transformers 5 (`rope_parameters`, `layer_types`,
  /// `dtype`) or the older one (`rope_theta`, `rope_scaling`, `torch_dtype`).
  ///
  /// - Throws: `ModelError` for an architecture that is not known, a field that is missing, of
  ///   another kind, or asks for what this build does not do.
  public init(json data: Data, path: String) throws {
    let fields = try ConfigFields(data: data, path: path)
    source = fields.node
    modelType = try fields.string("model_type") ?? "(none)"
    let family = try Architectures.family(modelType, path: path)
    if let method = try fields.object("quantization_config") {
      let name = try method.string("quant_method") ?? "(unnamed)"
      throw fields.wrong(
        "quantization_config",
        "weights packed by \(name) are not read; give a GGUF file, or the "
          + "checkpoint before it was packed")
    }
    hiddenSize = try fields.required("hidden_size")
    intermediateSize = try fields.required("intermediate_size")
    layers = try fields.required("num_hidden_layers")
    heads = try fields.required("num_attention_heads")
    keyHeads = try fields.integer("num_key_value_heads", default: heads)
    headSize = try fields.integer("head_dim", default: max(hiddenSize / heads, 1))
    rotarySize = headSize
    vocabularySize = try fields.required("vocab_size")
    rmsEpsilon = try fields.number("rms_norm_eps", default: 1e-6)
    tieEmbeddings = try fields.boolean("tie_word_embeddings", default: false)
    maxPositions = try fields.integer("max_position_embeddings", default: 2048)
    bos = try fields.ids("bos_token_id").first
    eos = try fields.ids("eos_token_id")
    try checkSizes(fields)
    attention.windows = [Int](repeating: 0, count: layers)
    try family.configure(&self, fields)
    if attention.scale == 0 { attention.scale = 1 / Double(headSize).squareRoot() }
    guard heads % keyHeads == 0 else {
      throw fields.wrong("num_key_value_heads", "\(keyHeads) does not divide \(heads) heads")
    }
  }

  /// A damaged file must not make tables for a billion layers, nor sizes whose products overflow.
  private func checkSizes(_ fields: ConfigFields) throws {
    guard layers <= 10_000 else {
      throw fields.wrong("num_hidden_layers", "\(layers) is more than 10000")
    }
    guard headSize <= 1 << 16 else {
      throw fields.wrong("head_dim", "\(headSize) is more than 65536")
    }
    let (c, width) = (Double(hiddenSize), Double(heads) * Double(headSize))
    let perLayer = c * (4 * width + 3 * Double(intermediateSize))
    guard Double(layers) * perLayer + 2 * c * Double(vocabularySize) < 1e15 else {
      throw fields.wrong("hidden_size", "\(hiddenSize) and the other sizes make 1e15 parameters")
    }
  }

  /// Parameters of the model, tied weights counted once.
  public var parameterCount: Int {
    let (queries, keys) = (heads * headSize, keyHeads * headSize)
    let (c, f) = (hiddenSize, intermediateSize)
    var layer = c * (2 * queries + 2 * keys) + 3 * c * f
    switch attention.bias {
    case .none: break
    case .queryKeyValue: layer += queries + 2 * keys
    case .all: layer += queries + 2 * keys + c
    }
    if feedForward.hasBias { layer += 2 * f + c }
    if attention.normsHeads { layer += 2 * headSize }
    layer += (norms.followsParts ? 4 : 2) * c
    return layers * layer + vocabularySize * c * (tieEmbeddings ? 1 : 2) + c
  }
}
