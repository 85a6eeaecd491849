import SparPluginKit

extension HeadChoices {
  /// What the model's config.json says: `spar_ranker` as `spar train-ranker` writes it, and the
  /// names of the authors' code (`value_head_dim`, `add_prompt_head`).
  ///
  ///     "spar_ranker": {"kind": "gpm", "gate": "softmax", "l2": true, "tau": 0.1,
  ///                     "text": "training"}
  init(configJSON: String, path: String) throws {
    let config: JSONValue
    do {
      config = try JSONValue(parsing: configJSON)
    } catch {
      throw PluginFailure("\(path): config.json is no JSON: \(error)")
    }
    dimension = config["value_head_dim"]?.number.map { Int($0) }
    hasPromptHead = config["add_prompt_head"]?.boolean
    if config["is_general_preference"]?.boolean == false {
      throw PluginFailure(
        "\(path): config.json says is_general_preference false; use the ranker bradley-terry")
    }
    guard let said = config["spar_ranker"] else { return }
    if let kind = said["kind"]?.string, kind != "gpm" {
      throw PluginFailure("\(path) is a ranker of kind \(kind), not gpm; use the ranker \(kind)")
    }
    gate = try Self.word(said["gate"], "gate", path)
    treatment = try Self.word(said["text"], "text", path)
    normalises = said["l2"]?.boolean
    tau = said["tau"]?.number
  }

  private static func word<Choice: RawRepresentable & CaseIterable>(
    _ value: JSONValue?, _ name: String, _ path: String
  ) throws -> Choice? where Choice.RawValue == String {
    guard let value else { return nil }
    guard let text = value.string, let choice = Choice(rawValue: text) else {
      throw PluginFailure(
        "\(path): config.json has spar_ranker.\(name) \(value); known: "
          + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  /// The user's choices where given, the checkpoint's else; a contradiction is refused.
  func settled(by checkpoint: HeadChoices, path: String) throws -> HeadChoices {
    func settle<Value: Equatable>(_ name: String, _ user: Value?, _ file: Value?) throws -> Value? {
      if let user, let file, user != file {
        throw PluginFailure(
          "option \(name) is \(user), but the checkpoint \(path) says \(file) in its config.json; "
            + "leave the option out")
      }
      return user ?? file
    }
    var settled = checkpoint
    settled.gate = try settle("gate", gate, checkpoint.gate)
    settled.normalises = try settle("l2", normalises, checkpoint.normalises)
    settled.tau = try settle("tau", tau, checkpoint.tau)
    settled.treatment = try settle("text", treatment, checkpoint.treatment)
    return settled
  }
}
