import Foundation
import SparText

/// The files that lie beside a model's weights, as its maker wrote them where there are any, else
/// made from what is known.
public struct ModelTexts {
  /// config.json.
  public var config: Data
  /// tokenizer.json; nil, as the next two, for a model without a tokenizer.
  public var tokenizer: Data?
  /// tokenizer_config.json.
  public var tokenizerConfig: Data?
  /// special_tokens_map.json.
  public var specialTokens: Data?
  /// generation_config.json.
  public var generation: Data
  /// The Jinja template.
  public var chatTemplate: String?
  /// An SPDX identifier where the maker used one.
  public var license: String?
  /// Further files that are kept as they are, such as tokenizer.model and LICENSE.
  public var others: [String: Data] = [:]

  /// Files of a Hugging Face folder that are copied where they exist.
  private static let kept = [
    "tokenizer.model", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja",
    "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "USE_POLICY.md",
  ]

  /// Reads them from beside, or out of, the file that the weights come from.
  public init(_ files: ModelFiles) throws {
    config = files.config
    tokenizer = try files.storedTokenizer?.tokenizerJSON()
    chatTemplate = files.chatTemplate
    var originals: [String: Data] = [:]
    if files.weights is SafetensorsFolder {
      for name in Self.kept + Self.roles {
        originals[name] = try Self.read(files.path + "/" + name)
      }
    } else if let stored = files.weights as? HDF5WeightSource {
      for name in Self.roles {
        let key = name.replacing(".", with: "_")
        guard case .string(let text)? = stored.checkpoint.header.attributes[key] else { continue }
        originals[name] = Data(text.utf8)
      }
    }
    if let stored = originals.removeValue(forKey: "tokenizer_config.json") {
      tokenizerConfig = stored
      // The folder that an HDF5 checkpoint was made from had its template in a file of its own.
      if let chatTemplate, originals["chat_template.jinja"] == nil,
        try TokenizerConfig(tokenizerConfig: stored, path: files.path).chatTemplate == nil
      {
        originals["chat_template.jinja"] = Data(chatTemplate.utf8)
      }
    } else {
      tokenizerConfig = try files.storedTokenizer?.tokenizerConfigJSON(chatTemplate: chatTemplate)
    }
    specialTokens =
      try originals.removeValue(forKey: "special_tokens_map.json")
      ?? files.storedTokenizer.map(Self.specialTokens)
    generation =
      try originals.removeValue(forKey: "generation_config.json") ?? Self.generation(files)
    others = originals
    license = try ModelLicense.identifier(of: files)
  }

  private static let roles = [
    "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
  ]

  private static func read(_ path: String) throws -> Data? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private static func specialTokens(_ tokenizer: Tokenizer) throws -> Data {
    let named = [
      ("bos_token", tokenizer.bosToken), ("eos_token", tokenizer.eosToken),
      ("pad_token", tokenizer.padToken), ("unk_token", tokenizer.unkToken),
    ]
    let known = named.compactMap { name, token in token.map { (name, $0) } }
    return try json(Dictionary(known, uniquingKeysWith: { first, _ in first }))
  }

  /// All ids that end an answer, the tokenizer's first, and the id that begins a text.
  private static func generation(_ files: ModelFiles) throws -> Data {
    var object: [String: Any] = [:]
    let ends = try endIDs(files)
    if let first = ends.first {
      object["eos_token_id"] = ends.count == 1 ? Int(first) : ends.map(Int.init)
    }
    if let bos = files.storedTokenizer?.bos { object["bos_token_id"] = Int(bos) }
    if let pad = files.storedTokenizer?.pad { object["pad_token_id"] = Int(pad) }
    return try json(object)
  }

  /// Ids that end an answer, as `LanguageModel.endIDs` orders them.
  static func endIDs(_ files: ModelFiles) throws -> [Int32] {
    let fields = try ConfigFields(data: files.config, path: files.path)
    var ids = files.storedTokenizer?.eos.map { [$0] } ?? []
    for id in try fields.ids("eos_token_id") + files.moreEnds where !ids.contains(id) {
      ids.append(id)
    }
    return ids
  }

  static func json(_ object: [String: Any]) throws -> Data {
    try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
      + Data("\n".utf8)
  }
}
