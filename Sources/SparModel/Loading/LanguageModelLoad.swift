import Foundation
import SparCompute
import SparText

extension LanguageModel {
  /// Reads a model: a Hugging Face folder, a .gguf file, an HDF5 checkpoint, or a known name.
  public static func load(_ argument: String, backend: Backend) throws -> LanguageModel {
    let files: ModelFiles
    switch try ModelLocation.resolve(argument) {
    case .huggingFace(let folder): files = try .huggingFace(folder)
    case .gguf(let file): files = try .gguf(file)
    case .checkpoint(let file): files = try .checkpoint(file)
    }
    return try LanguageModel(files, backend: backend)
  }

  /// Builds the model that `files` describe, its weights converted to f32.
  public convenience init(_ files: ModelFiles, backend: Backend) throws {
    var config = try ModelConfig(json: files.config, path: files.path)
    config.eos += files.moreEnds.filter { !config.eos.contains($0) }
    var digest = WeightsDigest()
    let architecture = try Architectures.make(config, backend: backend, path: files.path) {
      name, shape in
      guard let entry = files.weights.entry(name) else {
        throw ModelError(.missingTensor(name: name), path: files.path)
      }
      guard entry.shape == shape else {
        throw ModelError(
          .shape(name: name, found: entry.shape, expected: shape), path: files.path)
      }
      let value = backend.tensor(shape, use: .weights)
      let buffer = UnsafeMutableBufferPointer(start: value.floats, count: value.count)
      try files.weights.read(name, into: buffer)
      digest.add(name, UnsafeBufferPointer(buffer))
      return Parameter(name: name, value: value)
    }
    self.init(
      config: config, backend: backend, architecture: architecture, tokenizer: files.tokenizer,
      chatTemplate: try files.chatTemplate.map { try ChatTemplate(source: $0, name: files.path) },
      path: files.path, digest: digest.hex)
  }
}
