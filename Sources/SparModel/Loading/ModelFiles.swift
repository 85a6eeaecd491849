import Foundation
import SparStore
import SparText

/// What a model on disk consists of, whatever its format.
public struct ModelFiles {
  public var path: String
  /// A Hugging Face config.json.
  public var config: Data
  public var weights: any WeightSource
  /// nil where there is none: the model then takes and gives ids alone.
  public var storedTokenizer: Tokenizer?
  public var chatTemplate: String?
  /// Ids that end an answer besides the config's.
  public var moreEnds: [Int32] = []

  /// What texts go through.
  public var tokenizer: Tokenizer {
    get throws(ModelError) {
      guard let storedTokenizer else { throw ModelError(.noTokenizer, path: path) }
      return storedTokenizer
    }
  }

  public static func huggingFace(_ folder: String) throws -> ModelFiles {
    func file(_ name: String) throws -> Data? {
      let path = folder + "/" + name
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    guard let config = try file("config.json") else {
      throw ModelError(.notFound(tried: [folder + "/config.json"]), path: folder)
    }
    let text = try TokenizerFiles.folder(folder)
    let template = try file("chat_template.jinja").map { String(decoding: $0, as: UTF8.self) }
    var ends: [Int32] = []
    if let generation = try file("generation_config.json") {
      let place = folder + "/generation_config.json"
      ends = try ConfigFields(data: generation, path: place).ids("eos_token_id")
    }
    return ModelFiles(
      path: folder, config: config, weights: try SafetensorsFolder(folder),
      storedTokenizer: text?.tokenizer, chatTemplate: template ?? text?.settings?.chatTemplate,
      moreEnds: ends)
  }

  public static func gguf(_ path: String) throws -> ModelFiles {
    let source = try GGUFLlamaSource(path: path)
    return ModelFiles(
      path: path, config: try source.model.configJSON(), weights: source,
      storedTokenizer: try TokenizerFiles.gguf(source.model.tokenizer),
      chatTemplate: source.model.tokenizer.chatTemplate)
  }

  /// A training checkpoint: parameters, config, tokenizer and template in one HDF5 file.
  public static func checkpoint(_ path: String) throws -> ModelFiles {
    let file = try CheckpointFile(path)
    var roles: TokenizerConfig?
    if case .string(let json)? = file.header.attributes["tokenizer_config_json"] {
      roles = try TokenizerConfig(tokenizerConfig: Data(json.utf8), path: path)
    }
    return ModelFiles(
      path: path, config: Data(file.header.configJSON.utf8), weights: try HDF5WeightSource(file),
      storedTokenizer: try file.header.tokenizerJSON.map {
        try Tokenizer(tokenizerJSON: Data($0.utf8), path: path, config: roles)
      },
      chatTemplate: file.header.chatTemplate)
  }
}
