import SparText

extension Tokenizer {
  /// bos_token, eos_token and the like, as templates expect them.
  public var templateVariables: [String: JinjaValue] {
    var variables: [String: JinjaValue] = [:]
    let named = [("bos_token", bos), ("eos_token", eos), ("pad_token", pad), ("unk_token", unk)]
    for (name, id) in named {
      if let id, let token = token(id) { variables[name] = .string(token) }
    }
    return variables
  }
}

extension LanguageModel {
  /// The way from conversations to ids, without the weights.
  public var chat: ChatEncoder {
    ChatEncoder(
      tokenizer: tokenizer, template: chatTemplate, variables: templateVariables, endIDs: endIDs,
      path: path)
  }
}

extension ModelFiles {
  /// The same for a model whose weights are not read, and its config.
  public func chat() throws -> (encoder: ChatEncoder, config: ModelConfig) {
    var config = try ModelConfig(json: config, path: path)
    config.eos += moreEnds.filter { !config.eos.contains($0) }
    let encoder = ChatEncoder(
      tokenizer: tokenizer,
      template: try chatTemplate.map { try ChatTemplate(source: $0, name: path) },
      variables: tokenizer.templateVariables, endIDs: try ModelTexts.endIDs(self), path: path)
    return (encoder, config)
  }
}
