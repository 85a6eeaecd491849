/// The type of an option of a component.
public enum OptionType: String, Sendable, Codable, CustomStringConvertible {
  case bool, int, float, string, path
  case choice = "enum"

  public var description: String { rawValue }
}

/// The checked value of an option.
public enum OptionValue: Equatable, Sendable {
  case bool(Bool)
  case int(Int64)
  case float(Double)
  case string(String)
  case choice(index: Int, name: String)
  /// Absolute; empty for none.
  case path(String)

  /// As a plugin and a run record see it.
  public var text: String {
    switch self {
    case .bool(let value): value ? "true" : "false"
    case .int(let value): "\(value)"
    case .float(let value): "\(value)"
    case .string(let value), .path(let value): value
    case .choice(_, let name): name
    }
  }
}

/// An option as its component announces it.
public struct OptionSchema: Sendable, Equatable {
  /// kebab-case; users may type `_` for `-`.
  public var name: String
  public var doc: String
  public var unit: String?
  /// As a user would type it; nil when the option is required.
  public var defaultText: String?
  /// The values of a `choice`.
  public var choices: [String]
  /// Inclusive; nil when any value will do.
  public var range: ClosedRange<Double>?
  public var type: OptionType
  public var required: Bool
  public var advanced: Bool
  public var deprecated: Bool

  public init(
    name: String, doc: String, unit: String? = nil, defaultText: String? = nil,
    choices: [String] = [], range: ClosedRange<Double>? = nil, type: OptionType,
    required: Bool = false, advanced: Bool = false, deprecated: Bool = false
  ) {
    self.name = name
    self.doc = doc
    self.unit = unit
    self.defaultText = defaultText
    self.choices = choices
    self.range = range
    self.type = type
    self.required = required
    self.advanced = advanced
    self.deprecated = deprecated
  }

  /// Reads what a user typed.  Paths become absolute against the working directory.
  public func parse(_ text: String) throws(OptionError) -> OptionValue {
    switch type {
    case .bool: return .bool(try parseBool(text))
    case .int:
      guard let value = Int64(text) else { throw OptionError(self, text, .notOfType) }
      try check(Double(value), text)
      return .int(value)
    case .float:
      guard let value = Double(text) else { throw OptionError(self, text, .notOfType) }
      guard value.isFinite else { throw OptionError(self, text, .notFinite) }
      try check(value, text)
      return .float(value)
    case .string: return .string(text)
    case .choice:
      guard let index = choices.firstIndex(where: { canonical($0) == canonical(text) }) else {
        throw OptionError(self, text, .notAChoice(nearest: nearest(to: text, among: choices)))
      }
      return .choice(index: index, name: choices[index])
    case .path:
      return .path(text.isEmpty ? "" : absolutePath(text))
    }
  }

  private func parseBool(_ text: String) throws(OptionError) -> Bool {
    switch text.lowercased() {
    case "true", "yes", "on", "1": return true
    case "false", "no", "off", "0": return false
    default: throw OptionError(self, text, .notOfType)
    }
  }

  private func check(_ value: Double, _ text: String) throws(OptionError) {
    if let range, !range.contains(value) { throw OptionError(self, text, .outOfRange) }
  }
}

/// Why a text is not a value of an option.
public struct OptionError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    case notOfType
    case notFinite
    case outOfRange
    case notAChoice(nearest: String?)
  }

  public var schema: OptionSchema
  public var text: String
  public var reason: Reason

  init(_ schema: OptionSchema, _ text: String, _ reason: Reason) {
    self.schema = schema
    self.text = text
    self.reason = reason
  }
}
