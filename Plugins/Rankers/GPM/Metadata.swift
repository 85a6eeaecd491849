import SparPluginKit

extension HeadChoices {
  /// What the model's config.json says: `spar_ranker` as `spar train-ranker` writes it, and the
  /// names of the authors' code (`value_head_dim`, `add_prompt_head`).
  ///
  ///     "spar_ranker": {"kind": "gpm", "gate": "softmax", "l2": true, "tau": 0.1,
  ///                     "text": "training"}
  init(_ info: TextModelInfo) throws {
    let config = try info.config()
    dimension = try info.member("value_head_dim", of: config) { value in
      value.number.flatMap { Int(exactly: $0) }
    }
    hasPromptHead = try info.member("add_prompt_head", of: config, \.boolean)
    if try info.member("is_general_preference", of: config, \.boolean) == false {
      throw PluginFailure(
        "\(info.path): config.json says is_general_preference false; use the ranker bradley-terry")
    }
    guard let said = try info.rankerChoices(config, kind: "gpm") else { return }
    gate = try info.choice("gate", of: said, as: Gate.self)
    treatment = try info.choice("text", of: said, as: AnswerEncoding.Treatment.self)
    normalises = try info.member("l2", of: said, \.boolean)
    tau = try info.member("tau", of: said, \.number)
  }

  /// The user's choices where given, the checkpoint's else; a contradiction is refused.
  func settled(by checkpoint: HeadChoices, _ info: TextModelInfo) throws -> HeadChoices {
    var settled = checkpoint
    settled.gate = try info.settled("gate", gate, checkpoint.gate)
    settled.normalises = try info.settled("l2", normalises, checkpoint.normalises)
    settled.tau = try info.settled("tau", tau, checkpoint.tau)
    settled.treatment = try info.settled("text", treatment, checkpoint.treatment)
    return settled
  }
}
