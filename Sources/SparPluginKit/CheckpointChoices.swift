/// What a ranker's checkpoint says about itself in its config.json, and how that meets the options
/// that the user gives.
extension TextModelInfo {
  /// The model's config.json as values.
  public func config() throws -> JSONValue {
    do {
      return try JSONValue(parsing: configJSON)
    } catch {
      throw PluginFailure("\(path): config.json is no JSON: \(error)")
    }
  }

  /// A member of config.json or of a part of it; nil where it is absent or null.
  ///
  /// - Parameters:
  ///   - known: what the value may be, for the error.
  ///   - read: nil for a value that is of no use, which is an error: to pass over it would be to
  ///     take our own default for the checkpoint's choice.
  public func member<Value>(
    _ name: String, of object: JSONValue, known: [String] = [], _ read: (JSONValue) -> Value?
  ) throws -> Value? {
    guard let value = object[name], value != .null else { return nil }
    guard let found = read(value) else {
      throw PluginFailure(
        "\(path): config.json has \(name) \(value.string ?? "\(value)"), which is of no use here"
          + (known.isEmpty ? "" : "; known: \(known.joined(separator: ", "))"))
    }
    return found
  }

  /// A member that is one of a few words.
  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, of object: JSONValue, as type: Choice.Type
  ) throws -> Choice? where Choice.RawValue == String {
    try member(name, of: object, known: Choice.allCases.map(\.rawValue)) { value in
      value.string.flatMap { Choice(rawValue: $0) }
    }
  }

  /// `spar_ranker` of `config`, as `spar train-ranker` writes it: it must be of this kind.
  public func rankerChoices(_ config: JSONValue, kind: String) throws -> JSONValue? {
    guard let said = config["spar_ranker"], said != .null else { return nil }
    if let found = try member("kind", of: said, \.string), found != kind {
      throw PluginFailure(
        "\(path) is a ranker of kind \(found), not \(kind); use the ranker \(found)")
    }
    return said
  }

  /// The user's choice where given, the checkpoint's else; a contradiction is refused.
  public func settled<Value: Equatable>(
    _ option: String, _ user: Value?, _ file: Value?
  ) throws -> Value? {
    if let user, let file, user != file {
      throw PluginFailure(
        "option \(option) is \(user), but the checkpoint \(path) says \(file) in its config.json; "
          + "leave the option out")
    }
    return user ?? file
  }
}
