import Foundation

/// The chat templates of a model, by name, and the tokens that they speak of.
///
///     let set = try ChatTemplateSet(folder: "Hermes-2-Pro")
///     let template = try set.template(named: nil, hasTools: true)      // "tool_use"
public struct ChatTemplateSet: Sendable {
  public var templates: [TokenizerConfig.NamedTemplate]
  /// bos_token, eos_token, pad_token, unk_token, as far as they are known.
  public var tokens: [String: JinjaValue]
  /// For messages.
  public var path: String

  public init(
    templates: [TokenizerConfig.NamedTemplate], tokens: [String: JinjaValue] = [:], path: String
  ) {
    self.templates = templates
    self.tokens = tokens
    self.path = path
  }

  /// A template's own file (.jinja), a tokenizer_config.json, or a folder with one of them.
  public init(path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw JinjaError(
        template: path, line: 0, what: "no such file", cure: "check the path")
    }
    if isFolder.boolValue {
      try self.init(folder: path)
    } else if path.hasSuffix(".jinja") {
      self.init(
        templates: [.init(name: "default", source: try Self.text(path))], path: path)
    } else {
      let config = try TokenizerConfig(tokenizerConfig: Self.data(path), path: path)
      self.init(config, path: path)
    }
  }

  /// What transformers finds in a model folder: tokenizer_config.json, chat_template.jinja, which
  /// is the default where both have one, and additional_chat_templates/NAME.jinja.
  private init(folder: String) throws {
    func file(_ name: String) -> String? {
      let path = folder + "/" + name
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }
    var config = TokenizerConfig()
    if let path = file("tokenizer_config.json") {
      config = try TokenizerConfig(tokenizerConfig: Self.data(path), path: path)
    }
    if let path = file("special_tokens_map.json") {
      try config.add(specialTokensMap: Self.data(path), path: path)
    }
    self.init(config, path: folder)
    if let path = file("chat_template.jinja") { set("default", try Self.text(path)) }
    if let more = file("additional_chat_templates") {
      for name in try FileManager.default.contentsOfDirectory(atPath: more).sorted()
      where name.hasSuffix(".jinja") {
        set(String(name.dropLast(6)), try Self.text(more + "/" + name))
      }
    }
  }

  private init(_ config: TokenizerConfig, path: String) {
    var tokens: [String: JinjaValue] = [:]
    for (name, token) in [
      ("bos_token", config.bosToken), ("eos_token", config.eosToken),
      ("pad_token", config.padToken), ("unk_token", config.unkToken),
    ] {
      if let token { tokens[name] = .string(token) }
    }
    self.init(templates: config.chatTemplates, tokens: tokens, path: path)
  }

  private mutating func set(_ name: String, _ source: String) {
    templates.removeAll { $0.name == name }
    templates.append(.init(name: name, source: source))
  }

  private static func data(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private static func text(_ path: String) throws -> String {
    guard let text = String(validating: try data(path), as: UTF8.self) else {
      throw JinjaError(
        template: path, line: 0, what: "the file is not UTF-8", cure: "save it as UTF-8")
    }
    return text
  }

  /// The template called `name`; without a name, `tool_use` for a conversation with tools where
  /// there is one, else `default`, as transformers chooses.
  ///
  /// - Throws: `JinjaError` that lists the names there are, or tells why it does not parse.
  public func template(named name: String?, hasTools: Bool = false) throws -> ChatTemplate {
    let names = templates.map(\.name)
    guard !templates.isEmpty else {
      throw JinjaError(
        template: path, line: 0, what: "the model has no chat template",
        cure: "give a template's file: --model FILE.jinja")
    }
    let wanted = name ?? (hasTools && names.contains("tool_use") ? "tool_use" : "default")
    let found = templates.first { $0.name == wanted }
    guard let found = found ?? (name == nil && templates.count == 1 ? templates[0] : nil) else {
      throw JinjaError(
        template: path, line: 0, what: "there is no chat template named '\(wanted)'",
        cure: "name one of: " + names.joined(separator: ", "))
    }
    let label = templates.count == 1 ? path : "\(path) (\(found.name))"
    return try ChatTemplate(source: found.source, name: label)
  }
}
