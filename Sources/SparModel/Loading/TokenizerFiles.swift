import Foundation
import SparStore
import SparText

/// Finds the tokenizer of a model, with or without the model's weights.
public enum TokenizerFiles {
  /// The tokenizer of a model folder, and what tokenizer_config.json says beside it.
  ///
  /// tokenizer.json goes first; without it SentencePiece's tokenizer.model is read together with
  /// added_tokens.json and special_tokens_map.json. nil where there is neither.
  static func folder(
    _ folder: String
  ) throws -> (tokenizer: Tokenizer, settings: TokenizerConfig?)? {
    func file(_ name: String) throws -> (data: Data, path: String)? {
      try read(name, in: folder)
    }
    if let json = try file("tokenizer.json") {
      let config = try settings(in: folder)
      return (try Tokenizer(tokenizerJSON: json.data, path: json.path, config: config), config)
    }
    guard let model = try file("tokenizer.model") else { return nil }
    let config = try sentencePieceSettings(in: folder)
    return (try Tokenizer(sentencePiece: model.data, path: model.path, config: config), config)
  }

  private static func settings(in folder: String) throws -> TokenizerConfig? {
    try read("tokenizer_config.json", in: folder).map {
      try TokenizerConfig(tokenizerConfig: $0.data, path: $0.path)
    }
  }

  /// The same with what tokenizer.json would say and tokenizer.model does not.
  private static func sentencePieceSettings(in folder: String) throws -> TokenizerConfig? {
    var config = try settings(in: folder)
    if let added = try read("added_tokens.json", in: folder) {
      config = config ?? TokenizerConfig()
      try config?.add(addedTokens: added.data, path: added.path)
    }
    if let roles = try read("special_tokens_map.json", in: folder) {
      config = config ?? TokenizerConfig()
      try config?.add(specialTokensMap: roles.data, path: roles.path)
    }
    return config
  }

  private static func read(
    _ name: String, in folder: String
  ) throws -> (data: Data, path: String)? {
    let path = folder + "/" + name
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return (try Data(contentsOf: URL(fileURLWithPath: path)), path)
  }

  static func gguf(_ stored: GGUFTokenizerMetadata) throws -> Tokenizer {
    try Tokenizer(
      gguf: GGUFVocabulary(
        model: stored.model ?? "(none)", pre: stored.pre, tokens: stored.tokens,
        types: stored.types, scores: stored.scores.map { Float($0) }, merges: stored.merges,
        bos: stored.bosID, eos: stored.eosID, pad: stored.paddingID, unk: stored.unknownID,
        addBOS: stored.addsBOS, addEOS: stored.addsEOS, addSpacePrefix: stored.addsSpacePrefix,
        chatTemplate: stored.chatTemplate))
  }

  /// The tokenizer of whatever `argument` names: a model (folder, .gguf, checkpoint, known name),
  /// or just its file tokenizer.json or tokenizer.model. Roles come from the files beside it.
  public static func open(_ argument: String) throws -> Tokenizer {
    let lowered = argument.lowercased()
    if lowered.hasSuffix(".json") || lowered.hasSuffix(".model") {
      let data = try read(argument)
      let parent = (argument as NSString).deletingLastPathComponent
      let folder = parent.isEmpty ? "." : parent
      return lowered.hasSuffix(".json")
        ? try Tokenizer(tokenizerJSON: data, path: argument, config: settings(in: folder))
        : try Tokenizer(
          sentencePiece: data, path: argument, config: sentencePieceSettings(in: folder))
    }
    switch try ModelLocation.resolve(argument) {
    case .huggingFace(let folder):
      guard let (tokenizer, _) = try self.folder(folder) else {
        throw ModelError(.noTokenizer, path: folder)
      }
      return tokenizer
    case .gguf(let file): return try gguf(GGUFTokenizerMetadata(GGUFFile(file)))
    case .checkpoint(let file): return try ModelFiles.checkpoint(file).tokenizer
    }
  }

  private static func read(_ path: String) throws -> Data {
    guard FileManager.default.fileExists(atPath: path) else {
      throw ModelError(.notFound(tried: [path]), path: path)
    }
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }
}
