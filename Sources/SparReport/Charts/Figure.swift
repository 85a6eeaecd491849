import Foundation

/// Numbers as a reader wants them: as many digits as mean something.
enum Figure {
  /// "51.3 %", with a space that does not break.
  static func percent(_ share: Double) -> String {
    decimals(100 * share, 1) + "\u{A0}%"
  }

  /// A difference of shares in points: "+3.1", "−0.4".
  static func points(_ share: Double) -> String { signed(100 * share, 1) }

  static func signed(_ value: Double, _ digits: Int) -> String {
    let text = decimals(abs(value), digits)
    // What is rounded to zero has no sign.
    guard text.contains(where: { $0 != "0" && $0 != "." }) else { return text }
    return (value < 0 ? "−" : "+") + text
  }

  static func decimals(_ value: Double, _ digits: Int) -> String {
    let text = String(format: "%.\(digits)f", value)
    guard text.hasPrefix("-") else { return text }
    let size = String(text.dropFirst())
    return size.contains { $0 != "0" && $0 != "." } ? "−" + size : size
  }

  /// About three significant digits, whatever the size: "24 710", "0.0042", "−3.1·10⁻⁷".
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "not a number" : value < 0 ? "−∞" : "∞" }
    let size = abs(value)
    switch size {
    case 0: return "0"
    case 1e6..., ..<1e-3: return scientific(value)
    case 1000...: return grouped(value)
    case 100...: return decimals(value, 0)
    case 10...: return decimals(value, 1)
    case 1...: return decimals(value, 2)
    case 0.1...: return decimals(value, 3)
    default: return decimals(value, 4)
    }
  }

  /// "0.032", "< 0.001".
  static func probability(_ p: Double) -> String {
    p < 0.001 ? "<\u{A0}0.001" : p < 0.1 ? decimals(p, 3) : decimals(p, 2)
  }

  private static func grouped(_ value: Double) -> String {
    let text = decimals(value, 0)
    let isNegative = text.hasPrefix("−")
    let digits = isNegative ? text.dropFirst() : text[...]
    let head = digits.dropLast(3)
    return (isNegative ? "−" : "") + (head.isEmpty ? "" : head + "\u{202F}") + digits.suffix(3)
  }

  static func scientific(_ value: Double) -> String {
    let text = String(format: "%.1e", value)
    guard let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...])
    else { return text }
    var mantissa = String(text[..<mark]).replacing("-", with: "−")
    if mantissa.hasSuffix(".0") { mantissa.removeLast(2) }
    return mantissa + "·10" + superscript(exponent)
  }

  static func superscript(_ number: Int) -> String {
    let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    let text = String(abs(number)).compactMap(\.wholeNumberValue).map { String(digits[$0]) }
    return (number < 0 ? "⁻" : "") + text.joined()
  }
}
