import SparText

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
    let own = tokenizer.eos.map { [$0] } ?? []
    var variables: [String: JinjaValue] = [:]
    for (name, token) in [
      ("bos_token", tokenizer.bosToken), ("eos_token", tokenizer.eosToken),
      ("pad_token", tokenizer.padToken), ("unk_token", tokenizer.unkToken),
    ] {
      if let token { variables[name] = .string(token) }
    }
    let encoder = ChatEncoder(
      tokenizer: tokenizer,
      template: try chatTemplate.map { try ChatTemplate(source: $0, name: path) },
      variables: variables, endIDs: own + config.eos.filter { !own.contains($0) }, path: path)
    return (encoder, config)
  }
}
