/// One setting under its one name: flag, recipe key and sweep axis are the same thing.
///
/// A setting knows how to read its text into the recipe's typed field and how to show it again, so
/// help, `--show`, the recipe decoder and the flags all come from one row of `SettingTable`.
public struct Setting: Sendable {
  /// Whose business it is; `run` settings concern the whole run.
  public enum Stage: String, CaseIterable, Sendable {
    case run, generate, ranker, rank, objective, train, evaluate, plan
    case trainRanker = "train_ranker"
  }

  /// Dotted: `train.learning_rate`; settings of the run have no dot.
  public var name: String
  /// Spellings that users of TRL, alignment-handbook and SPPO know.
  public var aliases: [String]
  public var stage: Stage
  /// "integer", "number", "text", "true|false", or the choices.
  public var type: String
  /// Empty when every value of the type is allowed.
  public var range: String
  public var help: String
  /// A path that is read: in a recipe it is relative to the recipe's folder.
  public var isInputPath = false
  /// May be given as a bare flag, which means true.
  public var isSwitch = false

  /// Puts the text into its field; throws what was expected instead.
  let write: @Sendable (inout Recipe, String) throws(Expectation) -> Void
  /// The field as a user would type it.
  public let text: @Sendable (Recipe) -> String

  /// What a value should have been: "an integer ≥ 1".
  struct Expectation: Error {
    var text: String
  }

  public var defaultText: String { text(Recipe()) }
}

/// A literal key path to a field of the recipe.
typealias RecipeField<Value> = WritableKeyPath<Recipe, Value> & Sendable

extension Setting {
  init(
    _ name: String, _ aliases: [String], type: String, range: String = "", help: String,
    write: @escaping @Sendable (inout Recipe, String) throws(Expectation) -> Void,
    text: @escaping @Sendable (Recipe) -> String
  ) {
    self.name = name
    self.aliases = aliases
    let head = name.split(separator: ".").first.map(String.init) ?? name
    stage = name.contains(".") ? Stage(rawValue: head) ?? .run : .run
    self.type = type
    self.range = range
    self.help = help
    self.write = write
    self.text = text
  }

  static func integer(
    _ name: String, _ field: RecipeField<Int>, in range: ClosedRange<Int>,
    aliases: [String] = [], _ help: String
  ) -> Setting {
    let shown =
      range.upperBound == .max
      ? "≥ \(range.lowerBound)"
      : "\(range.lowerBound)…\(range.upperBound)"
    return Setting(
      name, aliases, type: "integer", range: shown, help: help,
      write: { recipe, text throws(Expectation) in
        guard let value = whole(text), range.contains(value) else {
          throw Expectation(text: "an integer \(shown)")
        }
        recipe[keyPath: field] = value
      },
      text: { "\($0[keyPath: field])" })
  }

  static func number(
    _ name: String, _ field: RecipeField<Double>, in range: NumberRange,
    aliases: [String] = [], _ help: String
  ) -> Setting {
    Setting(
      name, aliases, type: "number", range: "\(range)", help: help,
      write: { recipe, text throws(Expectation) in
        guard let value = Double(text), range.contains(value) else {
          throw Expectation(text: "a number \(range)")
        }
        recipe[keyPath: field] = value
      },
      text: { "\($0[keyPath: field])" })
  }

  static func seed(
    _ name: String, _ field: RecipeField<UInt64>, aliases: [String] = [], _ help: String
  ) -> Setting {
    Setting(
      name, aliases, type: "integer", range: "≥ 0", help: help,
      write: { recipe, text throws(Expectation) in
        guard let value = UInt64(text) else { throw Expectation(text: "an integer ≥ 0") }
        recipe[keyPath: field] = value
      },
      text: { "\($0[keyPath: field])" })
  }

  static func text(
    _ name: String, _ field: RecipeField<String>, aliases: [String] = [], isInputPath: Bool = false,
    _ help: String
  ) -> Setting {
    var setting = Setting(
      name, aliases, type: "text", help: help,
      write: { recipe, text throws(Expectation) in recipe[keyPath: field] = text },
      text: { $0[keyPath: field] })
    setting.isInputPath = isInputPath
    return setting
  }

  static func truth(
    _ name: String, _ field: RecipeField<Bool>, aliases: [String] = [], _ help: String
  ) -> Setting {
    var setting = Setting(
      name, aliases, type: "true|false", help: help,
      write: { recipe, text throws(Expectation) in
        switch text.lowercased() {
        case "true", "yes", "on", "1": recipe[keyPath: field] = true
        case "false", "no", "off", "0": recipe[keyPath: field] = false
        default: throw Expectation(text: "true or false")
        }
      },
      text: { "\($0[keyPath: field])" })
    setting.isSwitch = true
    return setting
  }

  /// A closed choice; `spellings` are other names that users know for a case.
  static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ field: RecipeField<Choice>, aliases: [String] = [],
    spellings: [String: Choice] = [:], _ help: String
  ) -> Setting where Choice.RawValue == String {
    let names = Choice.allCases.map(\.rawValue)
    return Setting(
      name, aliases, type: names.joined(separator: "|"), help: help,
      write: { recipe, text throws(Expectation) in
        let dashed = text.replacing("_", with: "-")
        let found = Choice.allCases.first {
          $0.rawValue == text || $0.rawValue.replacing("_", with: "-") == dashed
        }
        guard let value = found ?? spellings[text] else {
          throw Expectation(text: "one of \(names.joined(separator: ", "))")
        }
        recipe[keyPath: field] = value
      },
      text: { $0[keyPath: field].rawValue })
  }

  /// An integer written as `8`, `1e3` or `8.0`.
  private static func whole(_ text: String) -> Int? {
    Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
  }
}
