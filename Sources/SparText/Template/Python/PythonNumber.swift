import Foundation

/// Python's spellings of numbers, out and in.
enum PythonNumber {
  /// `repr(x)`: the shortest digits that give x again; an exponent from 1e16 on and below 1e-4.
  static func text(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
    let (digits, exponent) = shortest(value.magnitude)
    let sign = value < 0 ? "-" : ""
    guard (-4..<16).contains(exponent) else {
      let rest = digits.dropFirst()
      let size = String(abs(exponent))
      return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
        + (exponent < 0 ? "e-" : "e+") + (size.count < 2 ? "0" : "") + size
    }
    if exponent < 0 {
      return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
    }
    let whole = exponent + 1
    if digits.count <= whole {
      return sign + digits + String(repeating: "0", count: whole - digits.count) + ".0"
    }
    return sign + digits.prefix(whole) + "." + digits.dropFirst(whole)
  }

  /// x = d.ddd · 10^exponent, without trailing zeros.
  private static func shortest(_ value: Double) -> (digits: String, exponent: Int) {
    // Swift's description has the shortest digits, too, but another layout.
    var mantissa = Substring(value.description)
    var exponent = 0
    if let mark = mantissa.firstIndex(of: "e") {
      exponent = Int(mantissa[mantissa.index(after: mark)...]) ?? 0
      mantissa = mantissa[..<mark]
    }
    let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    let whole = parts[0]
    var digits = Substring(whole + (parts.count > 1 ? parts[1] : ""))
    exponent += whole.count - 1
    while digits.hasPrefix("0"), digits.count > 1 {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
    return (String(digits), exponent)
  }

  /// What `int(text, base)` makes of a text.
  enum ReadInteger: Equatable {
    case value(Int)
    /// A number, beyond 64 bits.
    case tooLarge
    case malformed
  }

  static func integer(_ text: String, base: Int) -> ReadInteger {
    var digits = Substring(PythonText.strip(text, nil, left: true, right: true))
    let isNegative = digits.hasPrefix("-")
    if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
    var base = base
    for (mark, radix) in [("0x", 16), ("0o", 8), ("0b", 2)]
    where (base == radix || base == 0) && digits.lowercased().hasPrefix(mark) {
      base = radix
      digits = digits.dropFirst(2)
      if digits.hasPrefix("_") { digits.removeFirst() }
      break
    }
    if base == 0 { base = 10 }
    var value = 0
    var isTooLarge = false
    var previous: Unicode.Scalar = "_"
    for scalar in digits.unicodeScalars {
      defer { previous = scalar }
      if scalar == "_" {
        guard previous != "_" else { return .malformed }
        continue
      }
      guard let digit = digitValue(scalar), digit < base else { return .malformed }
      let product = value.multipliedReportingOverflow(by: base)
      let sum =
        isNegative
        ? product.partialValue.subtractingReportingOverflow(digit)
        : product.partialValue.addingReportingOverflow(digit)
      isTooLarge = isTooLarge || product.overflow || sum.overflow
      value = sum.partialValue
    }
    guard previous != "_" else { return .malformed }
    return isTooLarge ? .tooLarge : .value(value)
  }

  private static func digitValue(_ scalar: Unicode.Scalar) -> Int? {
    if scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue {
      return Int(value)
    }
    switch scalar {
    case "a"..."z": return Int(scalar.value) - 87
    case "A"..."Z": return Int(scalar.value) - 55
    default: return nil
    }
  }

  /// `float(text)`; nil where Python raises ValueError.
  static func decimal(_ text: String) -> Double? {
    let trimmed = PythonText.strip(text, nil, left: true, right: true)
    let unsigned = trimmed.drop { $0 == "+" || $0 == "-" }.lowercased()
    if ["inf", "infinity", "nan"].contains(unsigned) {
      guard trimmed.count - unsigned.count <= 1 else { return nil }
      let value = unsigned == "nan" ? Double.nan : Double.infinity
      return trimmed.hasPrefix("-") ? -value : value
    }
    var plain = ""
    var previous: Unicode.Scalar = " "
    for scalar in trimmed.unicodeScalars {
      defer { previous = scalar }
      switch scalar {
      case "_":
        guard isDigit(previous) else { return nil }
      case "+", "-", ".", "e", "E":
        guard previous != "_" else { return nil }
        plain.unicodeScalars.append(scalar)
      default:
        guard isDigit(scalar), let value = scalar.properties.numericValue else { return nil }
        plain += String(Int(value))
      }
    }
    guard previous != "_", let first = plain.utf8.first(where: { $0 != 0x2B && $0 != 0x2D }),
      (0x30...0x39).contains(first) || first == UInt8(ascii: ".")
    else { return nil }
    // strtod knows "1." and ".5" as Python does, which Swift's Double does not.
    var rest: UnsafeMutablePointer<CChar>?
    return plain.withCString { start in
      let value = strtod(start, &rest)
      return rest.map { $0.pointee == 0 && $0 != start } == true ? value : nil
    }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.numericType == .decimal
  }

  /// `round(x, digits)`: correctly rounded in decimal, ties to even.
  static func round(_ value: Double, digits: Int) -> Double {
    guard value.isFinite, digits < 324 else { return value }
    if digits < -308 { return 0 * value }
    if digits >= 0 {
      return Double(String(format: "%.\(digits)f", value)) ?? value
    }
    let scale = pow(10, Double(-digits))
    return (value / scale).rounded(.toNearestOrEven) * scale
  }

  /// `round(n, digits)` of an integer; nil beyond 64 bits.
  static func round(_ value: Int, digits: Int) -> Int? {
    guard digits < 0 else { return value }
    guard digits > -19 else { return 0 }
    let scale = (0..<(-digits)).reduce(1) { power, _ in power * 10 }
    let rest = ((value % scale) + scale) % scale
    let down = value.subtractingReportingOverflow(rest)
    guard !down.overflow else { return nil }
    let isUp =
      rest > scale - rest || (rest == scale - rest && (down.partialValue / scale) % 2 != 0)
    guard isUp else { return down.partialValue }
    let up = down.partialValue.addingReportingOverflow(scale)
    return up.overflow ? nil : up.partialValue
  }
}

/// `datetime.strftime` in local time.
enum PythonTime {
  static func text(of time: Date, _ format: String) throws -> String {
    let whole = time.timeIntervalSince1970.rounded(.down)
    var seconds = time_t(whole)
    var parts = tm()
    localtime_r(&seconds, &parts)
    // %f, microseconds, is Python's own; a naive time has an empty zone.
    let micro = Int((time.timeIntervalSince1970 - whole) * 1e6)
    let digits = String(micro)
    var expanded = ""
    var isMark = false
    for scalar in format.unicodeScalars {
      if isMark {
        switch scalar {
        case "f": expanded += String(repeating: "0", count: 6 - min(6, digits.count)) + digits
        case "z", "Z": break
        default: expanded += "%" + String(scalar)
        }
        isMark = false
      } else if scalar == "%" {
        isMark = true
      } else {
        expanded.unicodeScalars.append(scalar)
      }
    }
    if isMark { expanded += "%" }
    guard !expanded.unicodeScalars.contains("\0"), expanded.utf8.count <= 1024 else {
      throw JinjaFault.type("the time format is too long")
    }
    // A blank in front tells an empty result from one that does not fit.
    var buffer = [CChar](repeating: 0, count: 1 << 16)
    let length = strftime(&buffer, buffer.count, " " + expanded, &parts)
    guard length > 0 else { throw JinjaFault.type("the time format is too long") }
    return String(decoding: buffer[1..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
