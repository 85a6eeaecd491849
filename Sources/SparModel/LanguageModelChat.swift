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
    get throws(ModelError) {
      ChatEncoder(
        tokenizer: try tokenizer, template: chatTemplate, variables: templateVariables,
        endIDs: endIDs, path: path)
    }
  }
}

extension ModelFiles {
  /// The config, with all ids that end an answer.
  public func shape() throws -> ModelConfig {
    var config = try ModelConfig(json: config, path: path)
    config.eos += moreEnds.filter { !config.eos.contains($0) }
    return config
  }

  /// Ids that end an answer, as `LanguageModel.endIDs` orders them.
  public func endIDs() throws -> [Int32] { try ModelTexts.endIDs(self) }

  /// The way from conversations to ids of a model whose weights are not read.
  public func chat() throws -> ChatEncoder {
    let tokenizer = try tokenizer
    return ChatEncoder(
      tokenizer: tokenizer,
      template: try chatTemplate.map { try ChatTemplate(source: $0, name: path) },
      variables: tokenizer.templateVariables, endIDs: try endIDs(), path: path)
  }
}
