import Foundation

/// `text % values` and `text.format(…)`.
struct PythonFormat {
  let interpreter: JinjaInterpreter

  init(_ interpreter: JinjaInterpreter) {
    self.interpreter = interpreter
  }

  /// Flags, width and precision of one conversion.
  struct Specification {
    var fill: Unicode.Scalar = " "
    /// "<", ">", "^", "=", or nil for the type's own.
    var alignment: Unicode.Scalar?
    /// "+", " " or nothing.
    var sign: Unicode.Scalar?
    var isAlternate = false
    var grouping: Unicode.Scalar?
    var width = 0
    var precision: Int?
    var type: Unicode.Scalar?
  }

  /// Widest and most precise that is made.
  static let widest = 1 << 20

  func bounded(_ value: Int) throws -> Int {
    guard value <= Self.widest else {
      throw JinjaFault(
        "a text padded to \(value)", cure: "no prompt needs that; the template is wrong or hostile")
    }
    return value
  }

  func isNegative(_ value: Double) -> Bool { value.sign == .minus && !value.isNaN }

  /// |value| in the notation of the specification's type.
  func decimal(_ value: Double, _ specification: Specification) -> String {
    let type = specification.type ?? "g"
    if !value.isFinite {
      let word = value.isNaN ? "nan" : "inf"
      return type.properties.isUppercase ? word.uppercased() : word
    }
    let alternate = specification.isAlternate ? "#" : ""
    return String(
      format: "%\(alternate).\(min(specification.precision ?? 6, 4096))\(type)", value.magnitude)
  }

  /// Sign, prefix and zeros in front of digits.
  func signed(
    _ digits: String, prefix: String = "", isNegative: Bool, _ specification: Specification
  ) -> String {
    let sign = isNegative ? "-" : specification.sign.map(String.init) ?? ""
    var digits = digits
    if let mark = specification.grouping { digits = grouped(digits, mark) }
    let size = sign.utf8.count + prefix.utf8.count + digits.utf8.count
    let isZeroFilled =
      specification.alignment == "="
      || (specification.alignment == nil && specification.fill == "0")
    if isZeroFilled {
      let fill = String(
        repeating: String(specification.fill), count: max(0, specification.width - size))
      return sign + prefix + fill + digits
    }
    return padded(
      sign + prefix + digits, specification, isLeft: specification.alignment == "<")
  }

  func grouped(_ digits: String, _ mark: Unicode.Scalar) -> String {
    let whole = digits.prefix { $0.isNumber }
    var out = ""
    for (i, digit) in whole.enumerated() {
      if i > 0, (whole.count - i) % 3 == 0 { out.unicodeScalars.append(mark) }
      out.append(digit)
    }
    return out + digits.dropFirst(whole.count)
  }

  func padded(
    _ text: String, _ specification: Specification, isLeft: Bool, isCentred: Bool = false
  ) -> String {
    let missing = specification.width - text.unicodeScalars.count
    guard missing > 0 else { return text }
    let before = isCentred || specification.alignment == "^" ? missing / 2 : isLeft ? 0 : missing
    let fill = String(specification.fill)
    return String(repeating: fill, count: before) + text
      + String(repeating: fill, count: missing - before)
  }
}
