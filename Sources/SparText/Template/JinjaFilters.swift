import Foundation

/// Filters on one value. Source: jinja2 3.1 `filters.py`; `tojson` is transformers' own.
extension JinjaInterpreter {
  func filter(_ name: String, _ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    if let result = try sequenceFilter(name, value, given) { return result }
    switch name {
    case "default", "d":
      let isMissing =
        value.isUndefined || ((given.value(1, "boolean")?.isTrue ?? false) && !value.isTrue)
      return isMissing ? given.value(0, "default_value") ?? .string("") : value
    case "safe", "string": return .string(value.text)
    case "tojson": return .string(try json(value, given))
    case "int": return .integer(try integer(value, given))
    case "float": return try number(value, given)
    case "abs":
      if case .number(let number) = value { return .number(abs(number)) }
      guard let number = value.asInteger, number > Int.min else {
        throw JinjaFault.type("bad operand type for abs(): '\(value.typeName)'")
      }
      return .integer(abs(number))
    case "round": return try rounded(value, given)
    case "attr":
      return try attribute(of: value, textArgument(given, 0, "name", of: name))
    default:
      guard let result = try textFilter(name, value, given) else {
        throw JinjaFault(
          "No filter named '\(name)'.",
          cure: "this filter is not part of Jinja as chat templates use it")
      }
      return result
    }
  }

  /// These turn their value into text first.
  private func textFilter(
    _ name: String, _ value: JinjaValue, _ given: JinjaCall
  ) throws -> JinjaValue? {
    guard
      [
        "trim", "upper", "lower", "capitalize", "title", "replace", "indent", "center", "escape",
        "e", "wordcount", "urlencode",
      ].contains(name)
    else { return nil }
    let text = value.text
    try spend(bytes: text.utf8.count)
    switch name {
    case "trim":
      let characters = given.value(0, "chars")
      return .string(
        PythonText.strip(
          text, characters == nil || characters == JinjaValue.none ? nil : characters?.text,
          left: true, right: true))
    case "upper": return .string(text.uppercased())
    case "lower": return .string(text.lowercased())
    case "capitalize": return .string(PythonText.capitalize(text))
    case "title": return .string(Self.title(text))
    case "replace":
      let old = try argument(given, 0, "old", of: name).text
      let new = try argument(given, 1, "new", of: name).text
      return .string(try replace(text, old, new, given.value(2, "count")))
    case "indent": return .string(try indented(text, given))
    case "center":
      let width = given.value(0, "width") ?? .integer(80)
      return try padded(text, name, JinjaCall(positional: [width]))
    case "wordcount": return .integer(PythonText.words(text).count)
    case "urlencode":
      var allowed = CharacterSet(charactersIn: "a"..."z")
      allowed.formUnion(CharacterSet(charactersIn: "A"..."Z"))
      allowed.formUnion(CharacterSet(charactersIn: "0123456789_.-~/"))
      return .string(text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text)
    default: return .string(Self.escaped(text))
    }
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&#34;"
      case "'": out += "&#39;"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// Jinja's `title`: capitals behind blanks, hyphens and opening brackets.
  private static func title(_ text: String) -> String {
    var out = ""
    var isFirst = true
    for scalar in text.unicodeScalars {
      if PythonSpace.contains(scalar) || "-({[<".unicodeScalars.contains(scalar) {
        out.unicodeScalars.append(scalar)
        isFirst = true
      } else {
        out += isFirst ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
        isFirst = false
      }
    }
    return out
  }

  private func indented(_ text: String, _ given: JinjaCall) throws -> String {
    let width = given.value(0, "width") ?? .integer(4)
    let isFirst = given.value(1, "first")?.isTrue ?? false
    let blank = given.value(2, "blank")?.isTrue ?? false
    let margin: String
    if case .string(let text) = width {
      margin = text
    } else {
      let count = width.asInteger ?? 0
      guard count <= 1 << 16 else { throw JinjaFault.type("an indent of \(count) blanks") }
      margin = String(repeating: " ", count: max(0, count))
    }
    // The newline in front makes a last empty line count, as in Jinja.
    let lines = PythonText.lines(text + "\n")
    try spend(bytes: text.utf8.count + lines.count * margin.utf8.count)
    let body = lines.enumerated().map { i, line in
      i > 0 && (blank || !line.isEmpty) ? margin + line : line
    }.joined(separator: "\n")
    return isFirst ? margin + body : body
  }

  private func json(_ value: JinjaValue, _ given: JinjaCall) throws -> String {
    var writer = JinjaJSON(indent: given.value(1, "indent")?.asInteger)
    writer.escapesNonASCII = given.value(0, "ensure_ascii")?.isTrue ?? false
    if let pair = given.value(2, "separators"), pair != .none {
      let pair = try elements(pair)
      guard pair.count == 2 else { throw JinjaFault.type("separators needs two texts") }
      writer.itemSeparator = pair[0].text
      writer.keySeparator = pair[1].text
    }
    writer.sortsKeys = given.value(3, "sort_keys")?.isTrue ?? false
    let text = try writer.text(value)
    try spend(bytes: text.utf8.count)
    return text
  }

  private func integer(_ value: JinjaValue, _ given: JinjaCall) throws -> Int {
    let fallback = given.value(0, "default")?.asInteger ?? 0
    switch value {
    case .number(let number): return Int(exactly: number.rounded(.towardZero)) ?? fallback
    case .string(let text):
      let trimmed = PythonText.strip(text, nil, left: true, right: true)
      let base = given.value(1, "base")?.asInteger ?? 10
      guard (2...36).contains(base) else { throw JinjaFault.type("int() base must be 2...36") }
      if let number = Int(trimmed, radix: base) { return number }
      guard let number = Double(trimmed) else { return fallback }
      return Int(exactly: number.rounded(.towardZero)) ?? fallback
    case .undefined(let why): throw JinjaFault.undefined(why)
    default: return value.asInteger ?? fallback
    }
  }

  private func number(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    if case .undefined(let why) = value { throw JinjaFault.undefined(why) }
    if let number = value.asNumber { return .number(number) }
    if case .string(let text) = value,
      let number = Double(PythonText.strip(text, nil, left: true, right: true))
    {
      return .number(number)
    }
    return given.value(0, "default") ?? .number(0)
  }

  private func rounded(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    guard let number = value.asNumber else {
      throw JinjaFault.type("type \(value.typeName) doesn't define __round__ method")
    }
    let precision = given.value(0, "precision")?.asInteger ?? 0
    let scale = pow(10, Double(precision))
    let rule: FloatingPointRoundingRule
    switch given.value(1, "method")?.text ?? "common" {
    case "common": rule = .toNearestOrEven
    case "ceil": rule = .up
    case "floor": rule = .down
    default: throw JinjaFault.type("method must be common, ceil or floor")
    }
    return .number((number * scale).rounded(rule) / scale)
  }
}
