import Foundation

/// Filters on one value. Source: jinja2 3.1 `filters.py`; `tojson` is transformers' own.
extension JinjaInterpreter {
  func filter(_ name: String, _ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    if let result = try sequenceFilter(name, value, given) { return result }
    if let result = try textFilter(name, value, given) { return result }
    switch name {
    case "default", "d":
      let options = try given.bind("do_default", optional: ["default_value", "boolean"])
      let isMissing = value.isUndefined || (options[1]?.isTrue == true && !value.isTrue)
      return isMissing ? options[0] ?? .string("") : value
    case "tojson": return .string(try json(value, given))
    case "int": return .integer(try integer(value, given))
    case "float": return try number(value, given)
    case "abs": return try magnitude(value, given)
    case "round": return try rounded(value, given)
    case "attr":
      let name = try given.bind("do_attr", required: ["name"])[0] ?? .none
      guard let name = name.asText else {
        throw JinjaFault.type("attribute name must be string, not '\(typeName(name))'")
      }
      if case .dictionary = value, !JinjaLibrary.dictionary.contains(name) {
        return .undefined("'\(objectName(value))' has no attribute \(JinjaText.quoted(name))")
      }
      return try attribute(of: value, name)
    case "filesizeformat":
      let binary = try given.bind("do_filesizeformat", optional: ["binary"])[0]
      return .string(try fileSize(value, isBinary: binary?.isTrue ?? false))
    default:
      throw JinjaFault(
        JinjaLibrary.refusal(ofFilter: name) ?? "No filter named '\(name)'.",
        cure: "this filter is not part of Jinja as chat templates use it")
    }
  }

  // MARK: JSON

  private func json(_ value: JinjaValue, _ given: JinjaCall) throws -> String {
    let options = try given.bind(
      "_cached_compile_jinja_template.<locals>.tojson",
      optional: ["ensure_ascii", "indent", "separators", "sort_keys"])
    var writer = JinjaJSON(self)
    writer.escapesNonASCII = options[0]?.isTrue ?? false
    writer.sortsKeys = options[3]?.isTrue ?? false
    switch options[1] ?? .none {
    case .none: break
    case .string(let text): writer.indent = text
    case let value:
      guard let count = value.asInteger else {
        throw JinjaFault.type("indent must be a number or a text, not \(typeName(value))")
      }
      try make(bytes: max(0, count))
      writer.indent = String(repeating: " ", count: max(0, count))
    }
    if writer.indent != nil { writer.itemSeparator = "," }
    if let pair = options[2], !pair.isNone {
      let pair = try elements(pair)
      guard pair.count == 2, let item = pair[0].asText, let key = pair[1].asText else {
        throw JinjaFault.type("separators needs two texts")
      }
      writer.itemSeparator = item
      writer.keySeparator = key
    }
    return try writer.text(value)
  }

  // MARK: Numbers

  private func integer(_ value: JinjaValue, _ given: JinjaCall) throws -> Int {
    let options = try given.bind("do_int", optional: ["default", "base"])
    func fallback() throws -> Int {
      guard let value = options[0] else { return 0 }
      guard case .integer(let number) = value else {
        throw JinjaFault(
          "int(default=\(try representation(value))) is not supported in chat templates",
          cure: "give a whole number, or use default() before")
      }
      return number
    }
    func whole(_ number: Double) throws -> Int {
      guard let whole = Int(exactly: number.rounded(.towardZero)) else { throw Self.tooLarge }
      return whole
    }
    switch value {
    case .number(let number):
      if number.isInfinite {
        throw JinjaFault.type("cannot convert float infinity to integer")
      }
      return number.isNaN ? try fallback() : try whole(number)
    case .undefined(let why): throw JinjaFault.undefined(why)
    default:
      if let number = value.asInteger { return number }
      guard let text = value.asText else { return try fallback() }
      let base = options[1]?.asInteger ?? 10
      guard base == 0 || (2...36).contains(base) else { return try fallback() }
      switch PythonNumber.integer(text, base: base) {
      case .value(let number): return number
      case .tooLarge: throw Self.tooLarge
      case .malformed:
        guard let number = PythonNumber.decimal(text), number.isFinite else {
          return try fallback()
        }
        return try whole(number)
      }
    }
  }

  private func number(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    let fallback = try given.bind("do_float", optional: ["default"])[0] ?? .number(0)
    if case .undefined(let why) = value { throw JinjaFault.undefined(why) }
    if let number = value.asNumber { return .number(number) }
    if let text = value.asText, let number = PythonNumber.decimal(text) { return .number(number) }
    return fallback
  }

  private func magnitude(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    guard given.positional.isEmpty, given.named.isEmpty else {
      throw JinjaFault.type(
        given.named.isEmpty
          ? "abs() takes exactly one argument (\(given.positional.count + 1) given)"
          : "abs() takes no keyword arguments")
    }
    if case .number(let number) = value { return .number(number.magnitude) }
    guard let number = value.asInteger else {
      throw JinjaFault.type("bad operand type for abs(): '\(typeName(value))'")
    }
    guard number > Int.min else { throw Self.tooLarge }
    return .integer(abs(number))
  }

  private func rounded(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    let options = try given.bind("do_round", optional: ["precision", "method"])
    let method = options[1]?.asText ?? "common"
    guard ["common", "ceil", "floor"].contains(method),
      options[1]?.asText != nil || options[1] == nil
    else { throw JinjaFault.type("method must be common, ceil or floor") }
    let given = options[0] ?? .integer(0)
    guard method == "common" else { return try shifted(value, given, isUp: method == "ceil") }
    guard let number = value.asNumber else {
      throw JinjaFault.type("type \(typeName(value)) doesn't define __round__ method")
    }
    if given.isNone {
      guard let whole = Int(exactly: number.rounded(.toNearestOrEven)) else { throw Self.tooLarge }
      return .integer(whole)
    }
    guard let digits = given.asInteger else {
      throw JinjaFault.type(
        "'\(typeName(given))' object cannot be interpreted as an integer")
    }
    guard let whole = value.asInteger else {
      return .number(PythonNumber.round(number, digits: digits))
    }
    guard let result = PythonNumber.round(whole, digits: digits) else { throw Self.tooLarge }
    return .integer(result)
  }

  /// `ceil(value · 10^digits) / 10^digits`, or floor.
  private func shifted(_ value: JinjaValue, _ digits: JinjaValue, isUp: Bool) throws -> JinjaValue {
    let scale = try combine(.integer(10), "**", digits)
    let product = try combine(value, "*", scale)
    if product.asInteger != nil { return try combine(product, "/", scale) }
    guard let number = product.asNumber else {
      if case .undefined(let why) = product { throw JinjaFault.undefined(why) }
      throw JinjaFault.type("must be real number, not \(typeName(product))")
    }
    guard number.isFinite else {
      throw JinjaFault.type(
        number.isNaN
          ? "cannot convert float NaN to integer" : "cannot convert float infinity to integer")
    }
    // As integers -0.0 is 0.
    let whole = number.rounded(isUp ? .up : .down) + 0
    return try combine(.number(whole), "/", scale)
  }

  private func fileSize(_ value: JinjaValue, isBinary: Bool) throws -> String {
    let number: Double
    if let given = value.asNumber {
      number = given
    } else if let text = value.asText {
      guard let given = PythonNumber.decimal(text) else {
        throw JinjaFault.type("could not convert string to float: \(JinjaText.quoted(text))")
      }
      number = given
    } else if case .undefined(let why) = value {
      throw JinjaFault.undefined(why)
    } else {
      throw JinjaFault.type(
        "float() argument must be a string or a real number, not '\(typeName(value))'")
    }
    let base: Double = isBinary ? 1024 : 1000
    if number == 1 { return "1 Byte" }
    if number < base {
      guard number.isFinite else {
        throw JinjaFault.type("cannot convert float infinity to integer")
      }
      guard let whole = Int(exactly: number.rounded(.towardZero)) else { throw Self.tooLarge }
      return "\(whole) Bytes"
    }
    let prefixes =
      isBinary
      ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
      : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    var unit = base
    for prefix in prefixes {
      unit *= base
      if number < unit || prefix == prefixes.last {
        return String(format: "%.1f ", base * number / unit) + prefix
      }
    }
    return ""
  }
}
