import SparModel
import SparPreference
import SparStore

/// Prompts that were given as token ids, as the texts that rankers read.
///
/// The tokenizer that gave the answers their texts decodes them, and the text is the user's
/// message; prompts with messages stay as they are.
public struct PromptTexts {
  /// Special tokens stay in the text: what upstream's ranking scripts handed over.
  public var keepsSpecialTokens = false

  public init(keepsSpecialTokens: Bool = false) {
    self.keepsSpecialTokens = keepsSpecialTokens
  }

  /// `groups` of the file `path`, every one with messages.
  ///
  /// - Throws: `RankingError.idPrompt` where the policy that `attributes` names is not the one that
  ///   answered, or has no tokenizer; errors of its files.
  public func of(
    _ groups: [CandidateGroup], _ attributes: [String: AttributeValue], path: String
  ) throws -> [CandidateGroup] {
    guard let first = groups.first(where: Self.isIDs) else { return groups }
    func fault(_ reason: String) -> RankingError {
      .idPrompt(path: path, item: first.promptID, reason: reason)
    }
    guard let policy = attributes.text("model") else {
      throw fault("the file does not say which model answered")
    }
    guard let tokenizer = try ModelFiles.open(policy).storedTokenizer else {
      throw fault("\(policy) has no tokenizer to decode them")
    }
    if let digest = attributes.text("tokenizer_digest"), digest != tokenizer.digest {
      throw fault("\(policy) has another tokenizer than when it answered")
    }
    return groups.map { group in
      guard Self.isIDs(group) else { return group }
      var group = group
      let text = tokenizer.decode(group.promptIDs, skipSpecial: !keepsSpecialTokens)
      group.messages = [.init(role: "user", content: text)]
      return group
    }
  }

  private static func isIDs(_ group: CandidateGroup) -> Bool {
    group.messages.isEmpty && !group.promptIDs.isEmpty
  }
}
