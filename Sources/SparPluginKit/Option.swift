import CSparPlugin

/// One option that a component announces.  The host parses, checks and documents it.
public struct Option: Sendable {
  public enum Kind: Sendable {
    case bool(Bool)
    case int(Int, ClosedRange<Int>?)
    case float(Double, ClosedRange<Double>?)
    case text(String)
    /// Has no default: the user must give it.
    case requiredText
    case choice(String, among: [String])
    case requiredChoice(among: [String])
  }

  /// kebab-case, unique in its component.
  public var name: String
  public var kind: Kind
  /// One sentence, shown by --help.
  public var doc: String
  public var unit: String?
  public var isAdvanced: Bool

  public init(
    _ name: String, _ kind: Kind, unit: String? = nil, advanced: Bool = false, _ doc: String
  ) {
    self.name = name
    self.kind = kind
    self.doc = doc
    self.unit = unit
    self.isAdvanced = advanced
  }

  func fill(_ param: inout spar_param) {
    param.struct_size = UInt64(MemoryLayout<spar_param>.size)
    param.name = foreverText(name)
    param.doc = foreverText(doc)
    param.unit = unit.map(foreverText)
    if isAdvanced { param.flags |= UInt32(SPAR_P_ADVANCED) }
    switch kind {
    case .bool(let value):
      param.type = UInt32(SPAR_T_BOOL)
      param.default_text = foreverText(value ? "true" : "false")
    case .int(let value, let range):
      param.type = UInt32(SPAR_T_INT)
      param.default_text = foreverText("\(value)")
      limit(&param, range.map { Double($0.lowerBound)...Double($0.upperBound) })
    case .float(let value, let range):
      param.type = UInt32(SPAR_T_FLOAT)
      param.default_text = foreverText("\(value)")
      limit(&param, range)
    case .text(let value):
      param.type = UInt32(SPAR_T_STRING)
      param.default_text = foreverText(value)
    case .requiredText:
      param.type = UInt32(SPAR_T_STRING)
      param.flags |= UInt32(SPAR_P_REQUIRED)
    case .requiredChoice(let choices):
      param.type = UInt32(SPAR_T_ENUM)
      param.flags |= UInt32(SPAR_P_REQUIRED)
      param.choices = foreverTexts(choices)
    case .choice(let value, let choices):
      param.type = UInt32(SPAR_T_ENUM)
      param.default_text = foreverText(value)
      param.choices = foreverTexts(choices)
    }
  }

  private func limit(_ param: inout spar_param, _ range: ClosedRange<Double>?) {
    guard let range else { return }
    param.flags |= UInt32(SPAR_P_RANGE)
    param.min = range.lowerBound
    param.max = range.upperBound
  }
}

/// The checked values of one `create`, in the order of the component's options.
public struct OptionValues {
  let values: UnsafePointer<spar_value>?
  let count: Int
  private let missing = Missing()

  /// The first option that was read and that the host had not given.
  private final class Missing {
    var index: Int?
  }

  init(_ info: UnsafePointer<spar_create_info>) {
    values = info.pointee.values
    count = Int(info.pointee.n_values)
  }

  public func float(_ index: Int) -> Double { self[index].f }
  public func int(_ index: Int) -> Int { Int(self[index].i) }
  public func bool(_ index: Int) -> Bool { self[index].i != 0 }
  /// Throws when the host has not given an option that was read: zeros are no values.
  func requireComplete() throws {
    guard let index = missing.index else { return }
    throw PluginFailure("option \(index) was not given; the host passed \(count) values")
  }

  /// The index of an enumerated option's value in its choices.
  public func choice(_ index: Int) -> Int { Int(self[index].i) }
  /// Whether the user set it; else it has its default.
  public func isGiven(_ index: Int) -> Bool { self[index].given != 0 }
  public func text(_ index: Int) -> String { self[index].s.map { String(cString: $0) } ?? "" }

  private subscript(index: Int) -> spar_value {
    guard let values, index < count else {
      missing.index = missing.index ?? index
      return spar_value()
    }
    return values[index]
  }
}
