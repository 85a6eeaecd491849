import SparCompute

/// What sets one architecture apart from the others: a file of this folder each.
protocol DecoderFamily: SendableMetatype {
  /// `model_type` of its config.json.
  static var modelType: String { get }
  /// Reads the fields that are its own; those that all share are read before.
  ///
  /// - Throws: `ModelError` for a field that is wrong, and for one that asks for what this build
  ///   does not do.
  static func configure(_ config: inout ModelConfig, _ fields: ConfigFields) throws
}

/// The architectures that this build knows, by `model_type`.
public enum Architectures {
  private static let families: [any DecoderFamily.Type] = [
    Llama.self, Mistral.self, Gemma2.self, Qwen2.self, Qwen3.self, Phi3.self,
  ]

  public static let known = families.map { $0.modelType }

  static func family(
    _ modelType: String, path: String
  ) throws -> any DecoderFamily.Type {
    guard let family = families.first(where: { $0.modelType == modelType }) else {
      throw ModelError(.unknownArchitecture(found: modelType, known: known), path: path)
    }
    return family
  }

  public static func make(
    _ config: ModelConfig, backend: Backend, path: String, load: ParameterLoader
  ) throws -> any Architecture {
    try CausalDecoder(config, backend: backend, path: path, load: load)
  }
}
