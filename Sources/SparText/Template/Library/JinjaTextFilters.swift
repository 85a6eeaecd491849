import Foundation

/// Filters that turn their value into text first.
extension JinjaInterpreter {
  /// nil where `name` is none of them.
  func textFilter(
    _ name: String, _ value: JinjaValue, _ given: JinjaCall
  ) throws -> JinjaValue? {
    switch name {
    case "string": _ = try given.bind("soft_str")
    case "safe": _ = try given.bind("do_mark_safe")
    case "escape", "e", "forceescape": _ = try given.place(name, 0...0)
    case "upper", "lower", "capitalize", "title", "wordcount": _ = try given.bind("do_\(name)")
    case "trim", "replace", "indent", "center", "truncate", "format", "urlencode": break
    default: return nil
    }
    let text = try text(value)
    try make(bytes: text.utf8.count)
    var isMarkup = false
    if case .markup = value { isMarkup = true }
    func soft(_ text: String) -> JinjaValue { isMarkup ? .markup(text) : .string(text) }
    switch name {
    case "string": return soft(text)
    case "safe": return .markup(text)
    case "escape", "e", "forceescape":
      if isMarkup, name != "forceescape" { return value }
      try make(bytes: text.utf8.count * 5)
      return .markup(JinjaMarkup.escaped(text))
    case "upper": return soft(PythonCase.upper(text))
    case "lower": return soft(PythonCase.lower(text))
    case "capitalize": return soft(PythonCase.capitalize(text))
    case "title": return .string(PythonCase.titleOfWords(text))
    case "wordcount": return .integer(words(text))
    case "trim":
      let characters = try given.bind("do_trim", optional: ["chars"])[0] ?? .none
      guard characters.isNone || characters.asText != nil else {
        throw JinjaFault.type("strip arg must be None or str")
      }
      return soft(PythonText.strip(text, characters.asText, left: true, right: true))
    case "replace":
      let options = try given.bind(
        "do_replace", required: ["old", "new"], optional: ["count"], implicit: 2)
      return .string(
        try replaced(
          text, self.text(options[0] ?? .none), self.text(options[1] ?? .none), options[2]))
    case "indent": return soft(try indented(value, text, given))
    case "center":
      let width = try given.bind("do_center", optional: ["width"])[0] ?? .integer(80)
      return try padded(soft(text), "center", JinjaCall(positional: [width]))
    case "truncate": return try truncated(value, text, given)
    case "format":
      guard given.positional.isEmpty || given.named.isEmpty else {
        throw JinjaFault.type("can't handle positional and keyword arguments at the same time")
      }
      var members = JinjaDictionary()
      for (name, value) in given.named { try set(&members, .string(name), value) }
      let values =
        given.named.isEmpty ? try tuple(given.positional) : JinjaValue.dictionary(members)
      return soft(try PythonFormat(self).percent(text, values))
    default: return .string(try urlEncoded(value, text, given))
    }
  }

  /// Runs of letters, digits and underscores.
  private func words(_ text: String) -> Int {
    var count = 0
    var isInside = false
    for scalar in text.unicodeScalars {
      let isPart = scalar == "_" || PythonCase.isWordPart(scalar)
      if isPart, !isInside { count += 1 }
      isInside = isPart
    }
    return count
  }

  private func indented(
    _ value: JinjaValue, _ text: String, _ given: JinjaCall
  ) throws -> String {
    let options = try given.bind("do_indent", optional: ["width", "first", "blank"])
    guard value.asText != nil else {
      switch value {
      case .undefined(let why): throw JinjaFault.undefined(why)
      case .list: throw JinjaFault.type("'list' object has no attribute 'splitlines'")
      case .tuple: throw JinjaFault.type("can only concatenate tuple (not \"str\") to tuple")
      default: break
      }
      throw JinjaFault.type(
        "unsupported operand type(s) for +=: '\(typeName(value))' and 'str'")
    }
    let margin: String
    switch options[0] ?? .integer(4) {
    case .string(let text), .markup(let text): margin = text
    case let width:
      guard let count = width.asInteger else {
        throw JinjaFault.type("can't multiply sequence by non-int of type '\(typeName(width))'")
      }
      try make(bytes: count)
      margin = String(repeating: " ", count: max(0, count))
    }
    let (isFirst, blank) = (options[1]?.isTrue ?? false, options[2]?.isTrue ?? false)
    // The newline behind makes a last empty line count, as in Jinja.
    let lines = PythonText.lines(text + "\n")
    let added = lines.count.multipliedReportingOverflow(by: margin.utf8.count)
    try make(bytes: added.overflow ? .max : text.utf8.count + added.partialValue)
    let body = lines.enumerated().map { i, line in
      i > 0 && (blank || !line.isEmpty) ? margin + line : line
    }.joined(separator: "\n")
    return isFirst ? margin + body : body
  }

  private func truncated(
    _ value: JinjaValue, _ text: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    let options = try given.bind(
      "do_truncate", optional: ["length", "killwords", "end", "leeway"], implicit: 2)
    guard let count = value.count else {
      throw JinjaFault.type("object of type '\(typeName(value))' has no len()")
    }
    let end = options[2]?.asText ?? "..."
    let marks = end.unicodeScalars.count
    guard let length = (options[0] ?? .integer(255)).asInteger,
      let leeway = (options[3].flatMap { $0.isNone ? nil : $0 } ?? .integer(5)).asInteger
    else { throw JinjaFault.type("truncate needs whole numbers") }
    guard length >= marks else {
      throw JinjaFault.type("expected length >= \(marks), got \(length)")
    }
    guard leeway >= 0 else { throw JinjaFault.type("expected leeway >= 0, got \(leeway)") }
    let scalars = text.unicodeScalars
    let most = length.addingReportingOverflow(leeway)
    if most.overflow || count <= most.partialValue { return value }
    guard value.asText != nil else {
      throw JinjaFault(
        "truncating a \(typeName(value)) is not supported in chat templates",
        cure: "turn it into text first")
    }
    let kept = String(scalars.prefix(length - marks))
    if options[1]?.isTrue ?? false { return .string(kept + end) }
    return .string(PythonText.splitFromRight(kept, " ", limit: 1)[0] + end)
  }

  private func urlEncoded(
    _ value: JinjaValue, _ text: String, _ given: JinjaCall
  ) throws -> String {
    _ = try given.bind("do_urlencode")
    func quoted(_ text: String, isQuery: Bool) throws -> String {
      try make(bytes: 3 * text.utf8.count)
      var out: [UInt8] = []
      for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: "-"), UInt8(ascii: "~"):
          out.append(byte)
        case UInt8(ascii: "/") where !isQuery: out.append(byte)
        case 0x20 where isQuery: out.append(UInt8(ascii: "+"))
        default:
          let digits = String(byte, radix: 16, uppercase: true)
          out.append(contentsOf: (digits.utf8.count < 2 ? "%0" : "%").utf8)
          out.append(contentsOf: digits.utf8)
        }
      }
      return String(decoding: out, as: UTF8.self)
    }
    if value.asText != nil { return try quoted(text, isQuery: false) }
    var pairs: [JinjaValue]
    if case .dictionary(let members) = value {
      pairs = members.items
    } else if try iterator(value, orNil: true) != nil {
      pairs = try elements(value)
    } else {
      return try quoted(text, isQuery: false)
    }
    return try pairs.map { pair in
      let pair = try elements(pair)
      guard pair.count == 2 else {
        throw JinjaFault.type("not enough values to unpack (expected 2, got \(pair.count))")
      }
      return try quoted(self.text(pair[0]), isQuery: true) + "="
        + quoted(self.text(pair[1]), isQuery: true)
    }.joined(separator: "&")
  }
}
