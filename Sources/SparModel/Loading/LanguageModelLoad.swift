import Foundation
import SparCompute
import SparText

extension LanguageModel {
  /// Reads a model: a Hugging Face folder, a .gguf file, an HDF5 checkpoint, or a known name.
  ///
  /// - Parameter weights: f32 unless the model only infers.
  public static func load(
    _ argument: String, backend: Backend, weights: WeightsPolicy = .f32
  ) throws -> LanguageModel {
    try LanguageModel(ModelFiles.open(argument), backend: backend, weights: weights)
  }

  /// Builds the model that `files` describe.
  public convenience init(
    _ files: ModelFiles, backend: Backend, weights: WeightsPolicy = .f32
  ) throws {
    let config = try files.shape()
    let loading = try WeightsLoading(files.weights, weights, backend: backend)
    let architecture = try Architectures.make(
      config, backend: backend, path: files.path, load: loading.parameter)
    self.init(
      config: config, backend: backend, architecture: architecture,
      tokenizer: files.storedTokenizer,
      chatTemplate: try files.chatTemplate.map { try ChatTemplate(source: $0, name: files.path) },
      path: files.path, identity: try loading.identity())
  }
}
