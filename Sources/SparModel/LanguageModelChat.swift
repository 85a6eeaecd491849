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
    let encoder = ChatEncoder(
      tokenizer: tokenizer,
      template: try chatTemplate.map { try ChatTemplate(source: $0, name: path) },
      variables: tokenizer.templateVariables, endIDs: try ModelTexts.endIDs(self), path: path)
    return (encoder, config)
  }
}
