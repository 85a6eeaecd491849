/// Methods of Python's types.
extension JinjaInterpreter {
  func method(of base: JinjaValue, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    switch base {
    case .dictionary(let members): return try method(of: members, name, given)
    case .list(let list), .tuple(let list):
      return try method(of: list.elements, base, name, given)
    case .range: return try method(of: elements(base), base, name, given)
    case .string(let text):
      try spend(bytes: text.utf8.count)
      return try method(of: text, name, given)
    case .markup(let text):
      try spend(bytes: text.utf8.count)
      return JinjaMarkup.marked(try method(of: text, name, JinjaMarkup.escaped(given)))
    case .number(let number):
      _ = try given.place("float.is_integer", 0...0)
      return .boolean(number.isFinite && number.rounded() == number)
    default: throw JinjaFault.type("'\(typeName(base))' object has no method '\(name)'")
    }
  }

  private func method(
    of members: JinjaDictionary, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    switch name {
    case "items", "keys", "values":
      _ = try given.place("dict.\(name)", 0...0)
      let kind: JinjaViewKind = name == "items" ? .items : name == "keys" ? .keys : .values
      return .view(members, kind)
    case "copy":
      _ = try given.place("dict.copy", 0...0)
      return .dictionary(members)
    case "get":
      let values = try given.place("get", 1...2)
      return members.find(try key(values[0])) ?? (values.count > 1 ? values[1] : .none)
    default:
      throw JinjaFault(
        "dict.\(name) is not supported in chat templates", cure: "rewrite the template without it")
    }
  }

  private func method(
    of elements: [JinjaValue], _ base: JinjaValue, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    switch name {
    case "copy":
      _ = try given.place("list.copy", 0...0)
      return base
    case "count":
      let value = try given.place("\(typeName(base)).count", 1...1)[0]
      return .integer(try elements.count { try equal($0, value) })
    default:
      let values = try given.place("index", 1...3)
      let range = try bounds(values.dropFirst(), count: elements.count)
      for i in range where try equal(elements[i], values[0]) { return .integer(i) }
      switch base {
      case .tuple: throw JinjaFault.type("tuple.index(x): x not in tuple")
      case .range:
        throw JinjaFault.type("\(try representation(values[0])) is not in range")
      default: throw JinjaFault.type("\(try representation(values[0])) is not in list")
      }
    }
  }

  /// Python's optional start and end.
  private func bounds(_ values: ArraySlice<JinjaValue>, count: Int) throws -> Range<Int> {
    let places = try values.map { value -> Int? in
      if value.isNone { return nil }
      guard let place = value.asInteger else {
        throw JinjaFault.type(
          "slice indices must be integers or None or have an __index__ method")
      }
      return min(max(place < 0 ? place + count : place, 0), count)
    }
    let start = places.first.flatMap { $0 } ?? 0
    let end = places.dropFirst().first.flatMap { $0 } ?? count
    return start..<max(start, end)
  }

  private func text(_ value: JinjaValue, of function: String) throws -> String {
    guard let text = value.asText else {
      throw JinjaFault.type("\(function)() argument must be str, not \(typeName(value))")
    }
    return text
  }

  private func method(of text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try given.place(name, 0...1).first ?? .none
      guard characters.isNone || characters.asText != nil else {
        throw JinjaFault.type("\(name) arg must be None or str")
      }
      return .string(
        PythonText.strip(
          text, characters.asText, left: name != "rstrip", right: name != "lstrip"))
    case "split", "rsplit": return try split(text, name, given)
    case "splitlines":
      let keeps = try given.bind("splitlines", optional: ["keepends"])[0]?.isTrue ?? false
      return try list(pieces: PythonText.lines(text, keepingEnds: keeps))
    case "startswith", "endswith": return .boolean(try matchesEnd(text, name, given))
    case "replace":
      let values = try given.place("replace", 2...3)
      return .string(
        try replaced(
          text, argument(values[0], 1, of: "replace"), argument(values[1], 2, of: "replace"),
          values.count > 2 ? values[2] : nil))
    case "join":
      return .string(try join(try given.place("str.join", 1...1)[0], separator: text))
    case "find", "rfind", "index", "rindex", "count": return try search(text, name, given)
    case "removeprefix", "removesuffix":
      let part = try self.text(try given.place("str.\(name)", 1...1)[0], of: name)
      let isFront = name == "removeprefix"
      guard hasEnd(text, part, front: isFront) else { return .string(text) }
      let kept =
        isFront
        ? text.utf8.dropFirst(part.utf8.count) : text.utf8.dropLast(part.utf8.count)
      return .string(String(decoding: Array(kept), as: UTF8.self))
    case "partition", "rpartition": return try partition(text, name, given)
    case "ljust", "rjust", "center", "zfill": return try padded(.string(text), name, given)
    case "expandtabs":
      let size = try given.bind(name, optional: ["tabsize"])[0] ?? .integer(8)
      guard let size = size.asInteger else { throw JinjaFault.type("expandtabs needs a number") }
      let tabs = text.utf8.count { $0 == 9 }
      let added = tabs.multipliedReportingOverflow(by: max(0, size))
      try make(bytes: added.overflow ? .max : added.partialValue)
      return .string(PythonText.expandTabs(text, size: size))
    case "format": return .string(try PythonFormat(self).braces(text, given))
    case "format_map":
      guard case .dictionary(let members) = try given.place("format_map", 1...1)[0] else {
        throw JinjaFault.type("format_map needs a dictionary")
      }
      return .string(
        try PythonFormat(self).braces(
          text,
          JinjaCall(
            named: zip(members.keys, members.values).compactMap { key, value in
              key.asText.map { ($0, value) }
            })))
    default: return try plain(text, name, given)
    }
  }

  /// Methods without arguments.
  private func plain(_ text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    _ = try given.place("str.\(name)", 0...0)
    switch name {
    case "upper": return .string(PythonCase.upper(text))
    case "lower": return .string(PythonCase.lower(text))
    case "title": return .string(PythonCase.title(text))
    case "capitalize": return .string(PythonCase.capitalize(text))
    case "swapcase": return .string(PythonCase.swap(text))
    case "casefold" where text.utf8.allSatisfy({ $0 < 0x80 }): return .string(text.lowercased())
    case "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric",
      "isprintable", "isspace", "istitle", "isupper":
      return .boolean(PythonCase.holds(name, text))
    default:
      throw JinjaFault(
        "str.\(name) is not supported in chat templates", cure: "rewrite the template without it")
    }
  }

  private func argument(
    _ value: JinjaValue, _ place: Int, of function: String
  ) throws -> String {
    guard let text = value.asText else {
      throw JinjaFault.type(
        "\(function)() argument \(place) must be str, not \(typeName(value))")
    }
    return text
  }

  private func list(pieces: [String]) throws -> JinjaValue {
    try make(elements: 2 * pieces.count)
    return .list(pieces.map(JinjaValue.string))
  }

  private func split(_ text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    let options = try given.bind(name, optional: ["sep", "maxsplit"])
    guard let most = (options[1] ?? .integer(-1)).asInteger else {
      throw JinjaFault.type(
        "'\(typeName(options[1] ?? .none))' object cannot be interpreted as an integer")
    }
    let limit = most < 0 ? Int.max : most
    let separator = options[0] ?? .none
    if separator.isNone {
      return try list(
        pieces: name == "split"
          ? PythonText.words(text, limit: limit)
          : PythonText.wordsFromRight(text, limit: limit))
    }
    guard let part = separator.asText else {
      throw JinjaFault.type("must be str or None, not \(typeName(separator))")
    }
    guard !part.isEmpty else { throw JinjaFault.type("empty separator") }
    return try list(
      pieces: name == "split"
        ? PythonText.split(text, part, limit: limit)
        : PythonText.splitFromRight(text, part, limit: limit))
  }

  private func partition(
    _ text: String, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    let part = try self.text(try given.place("str.\(name)", 1...1)[0], of: name)
    guard !part.isEmpty else { throw JinjaFault.type("empty separator") }
    let isRight = name == "rpartition"
    let pieces =
      isRight
      ? PythonText.splitFromRight(text, part, limit: 1) : PythonText.split(text, part, limit: 1)
    if pieces.count == 2 {
      return .tuple([.string(pieces[0]), .string(part), .string(pieces[1])])
    }
    let (whole, empty) = (JinjaValue.string(text), JinjaValue.string(""))
    return .tuple(isRight ? [empty, empty, whole] : [whole, empty, empty])
  }

  private func hasEnd(_ text: String, _ part: String, front: Bool) -> Bool {
    front
      ? text.utf8.starts(with: part.utf8) : text.utf8.reversed().starts(with: part.utf8.reversed())
  }

  private func matchesEnd(_ text: String, _ name: String, _ given: JinjaCall) throws -> Bool {
    let values = try given.place(name, 1...3)
    let scalars = text.unicodeScalars
    var part = text
    if values.count > 1 {
      let count = scalars.count
      let range = try bounds(values.dropFirst(), count: count)
      if let start = values[1].asInteger, start > count { return false }
      part = String(
        String.UnicodeScalarView(scalars.dropFirst(range.lowerBound).prefix(range.count)))
    }
    let choices: [JinjaValue]
    if case .tuple(let list) = values[0] { choices = list.elements } else { choices = [values[0]] }
    for choice in choices {
      guard let end = choice.asText else {
        if case .tuple = values[0] {
          throw JinjaFault.type(
            "tuple for \(name) must only contain str, not \(typeName(choice))")
        }
        throw JinjaFault.type(
          "\(name) first arg must be str or a tuple of str, not \(typeName(choice))")
      }
      if hasEnd(part, end, front: name == "startswith") { return true }
    }
    return false
  }

  func replaced(_ text: String, _ old: String, _ new: String, _ count: JinjaValue?) throws -> String
  {
    var limit = -1
    if let count, !count.isNone {
      guard let number = count.asInteger else {
        throw JinjaFault.type(
          "'\(typeName(count))' object cannot be interpreted as an integer")
      }
      limit = number
    }
    let places =
      old.isEmpty ? text.unicodeScalars.count + 1 : text.utf8.count / old.utf8.count
    let bound = min(limit < 0 ? .max : limit, places)
    let added = bound.multipliedReportingOverflow(by: new.utf8.count)
    // Only where the worst case could be too large are the places counted first.
    if added.overflow || added.partialValue > limits.outputBytes {
      let real =
        old.isEmpty
        ? bound : PythonText.places(of: old, in: text, limit: limit < 0 ? .max : limit).count
      let exact = real.multipliedReportingOverflow(by: new.utf8.count)
      try make(bytes: exact.overflow ? .max : exact.partialValue)
    }
    let out = PythonText.replace(text, old, new, limit: limit < 0 ? .max : limit)
    try make(bytes: out.utf8.count)
    return out
  }

  private func join(_ value: JinjaValue, separator: String) throws -> String {
    guard let source = try iterator(value, orNil: true) else {
      throw JinjaFault.type("can only join an iterable")
    }
    var out = ""
    var count = 0
    while let part = try source.next() {
      guard let text = part.asText else {
        throw JinjaFault.type(
          "sequence item \(count): expected str instance, \(typeName(part)) found")
      }
      if count > 0 { out += separator }
      out += text
      count += 1
      try spend(bytes: separator.utf8.count)
      guard out.utf8.count <= limits.outputBytes else { break }
    }
    try make(bytes: out.utf8.count)
    return out
  }

  private func search(_ text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    let values = try given.place(name, 1...3)
    guard let part = values[0].asText else {
      throw JinjaFault.type("must be str, not \(typeName(values[0]))")
    }
    let count = text.unicodeScalars.count
    let range = try bounds(values.dropFirst(), count: count)
    var place: Int?
    if values.count > 1, let start = values[1].asInteger, start > count {
      place = nil
      if name == "count" { return .integer(0) }
    } else {
      let window = String(
        String.UnicodeScalarView(
          text.unicodeScalars.dropFirst(range.lowerBound).prefix(range.count)))
      if name == "count" {
        return .integer(
          part.isEmpty ? range.count + 1 : PythonText.places(of: part, in: window).count)
      }
      let isRight = name.hasPrefix("r")
      if part.isEmpty {
        place = isRight ? range.upperBound : range.lowerBound
      } else {
        let pieces =
          isRight
          ? PythonText.splitFromRight(window, part, limit: 1)
          : PythonText.split(window, part, limit: 1)
        if pieces.count == 2 { place = range.lowerBound + pieces[0].unicodeScalars.count }
      }
    }
    guard let place else {
      if name.hasSuffix("index") { throw JinjaFault.type("substring not found") }
      return .integer(-1)
    }
    return .integer(place)
  }

  func padded(_ value: JinjaValue, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    let text = value.asText ?? ""
    let values = try given.place(name, name == "zfill" ? 1...1 : 1...2)
    guard let asked = values[0].asInteger else {
      throw JinjaFault.type(
        "'\(typeName(values[0]))' object cannot be interpreted as an integer")
    }
    let width = max(0, asked)
    try make(bytes: width)
    var out: String
    if name == "zfill" {
      let isSigned = text.hasPrefix("-") || text.hasPrefix("+")
      let digits = isSigned ? String(text.unicodeScalars.dropFirst()) : text
      let filled = PythonText.pad(
        digits, width - (isSigned ? 1 : 0), "0", left: true, right: false)
      out = (isSigned ? String(text.unicodeScalars.prefix(1)) : "") + filled
    } else {
      let fill = values.count > 1 ? values[1] : .string(" ")
      guard let fill = fill.asText else {
        throw JinjaFault.type(
          "The fill character must be a unicode character, not \(typeName(fill))")
      }
      guard fill.unicodeScalars.count == 1 else {
        throw JinjaFault.type("The fill character must be exactly one character long")
      }
      try make(bytes: width * fill.utf8.count)
      out = PythonText.pad(text, width, fill, left: name != "ljust", right: name != "rjust")
    }
    if case .markup = value { return .markup(out) }
    return .string(out)
  }
}
