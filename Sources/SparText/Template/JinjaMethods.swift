/// The methods that templates may call, by type.
enum JinjaMethods {
  static let dictionary: Set<String> = ["items", "keys", "values", "get", "copy"]
  static let list: Set<String> = ["index", "count", "copy"]
  static let string: Set<String> = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "upper",
    "lower", "title", "capitalize", "swapcase", "replace", "join", "find", "rfind", "index",
    "count", "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower", "removeprefix",
    "removesuffix", "partition", "rpartition", "ljust", "rjust", "center", "zfill",
  ]
}

extension JinjaInterpreter {
  func method(of base: JinjaValue, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    switch base {
    case .dictionary(let members): return try method(of: members, name, given)
    case .list(let elements), .tuple(let elements):
      return try method(of: elements, base, name, given)
    case .string(let text):
      try spend(bytes: text.utf8.count)
      return try method(of: text, name, given)
    default: throw JinjaFault.type("'\(base.typeName)' object has no method '\(name)'")
    }
  }

  private func method(
    of members: JinjaDictionary, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    try spend(bytes: 16 * members.count)
    switch name {
    case "items": return .list(members.items)
    case "keys": return .list(members.keys)
    case "values": return .list(members.values)
    case "copy": return .dictionary(members)
    default:
      guard let key = given.value(0, "key") else {
        throw JinjaFault.type("get expected at least 1 argument, got 0")
      }
      return members.find(key) ?? given.value(1, "default") ?? .none
    }
  }

  private func method(
    of elements: [JinjaValue], _ base: JinjaValue, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    try spend(bytes: 16 * elements.count)
    if name == "copy" { return base }
    let value = try argument(given, 0, "value", of: name)
    if name == "count" { return .integer(elements.count { $0 == value }) }
    guard let place = elements.firstIndex(of: value) else {
      throw JinjaFault.type("\(value.representation) is not in list")
    }
    return .integer(place)
  }

  func argument(
    _ given: JinjaCall, _ place: Int, _ name: String, of function: String
  ) throws -> JinjaValue {
    guard let value = given.value(place, name) else {
      throw JinjaFault.type("\(function)() missing the argument '\(name)'")
    }
    return value
  }

  func textArgument(
    _ given: JinjaCall, _ place: Int, _ name: String, of function: String
  ) throws -> String {
    let value = try argument(given, place, name, of: function)
    guard case .string(let text) = value else {
      throw JinjaFault.type("\(function)() argument must be str, not \(value.typeName)")
    }
    return text
  }

  private func method(of text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    switch name {
    case "strip", "lstrip", "rstrip":
      var characters: String?
      if let value = given.value(0, "chars"), value != .none {
        characters = try textArgument(given, 0, "chars", of: name)
      }
      return .string(
        PythonText.strip(text, characters, left: name != "rstrip", right: name != "lstrip"))
    case "split", "rsplit": return try split(text, name, given)
    case "splitlines": return .list(PythonText.lines(text).map(JinjaValue.string))
    case "startswith", "endswith": return .boolean(try matchesEnd(text, name, given))
    case "upper": return .string(text.uppercased())
    case "lower": return .string(text.lowercased())
    case "title": return .string(PythonText.title(text))
    case "capitalize": return .string(PythonText.capitalize(text))
    case "swapcase":
      return .string(
        text.unicodeScalars.map {
          $0.properties.isUppercase
            ? $0.properties.lowercaseMapping : $0.properties.uppercaseMapping
        }.joined())
    case "replace":
      let old = try textArgument(given, 0, "old", of: name)
      let new = try textArgument(given, 1, "new", of: name)
      return .string(try replace(text, old, new, given.value(2, "count")))
    case "join":
      let parts = try elements(try argument(given, 0, "iterable", of: name))
      for (i, part) in parts.enumerated() {
        guard case .string = part else {
          throw JinjaFault.type(
            "sequence item \(i): expected str instance, \(part.typeName) found")
        }
      }
      return .string(try join(parts, text))
    case "find", "rfind", "index", "count": return try search(text, name, given)
    case "removeprefix", "removesuffix":
      let part = try textArgument(given, 0, "part", of: name)
      let isFront = name == "removeprefix"
      guard hasEnd(text, part, front: isFront) else { return .string(text) }
      let bytes = Array(text.utf8)
      let width = part.utf8.count
      let kept = isFront ? bytes.dropFirst(width) : bytes.dropLast(width)
      return .string(String(decoding: kept, as: UTF8.self))
    case "partition", "rpartition":
      let part = try textArgument(given, 0, "sep", of: name)
      guard !part.isEmpty else { throw JinjaFault.type("empty separator") }
      let isRight = name == "rpartition"
      let pieces =
        isRight
        ? PythonText.splitFromRight(text, part, limit: 1) : PythonText.split(text, part, limit: 1)
      if pieces.count == 2 {
        return .tuple([.string(pieces[0]), .string(part), .string(pieces[1])])
      }
      let whole = JinjaValue.string(text)
      let empty = JinjaValue.string("")
      return .tuple(isRight ? [empty, empty, whole] : [whole, empty, empty])
    case "ljust", "rjust", "center", "zfill": return try padded(text, name, given)
    default: return .boolean(Self.holds(name, text))
    }
  }

  private func split(_ text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    let most = given.value(1, "maxsplit")?.asInteger ?? -1
    let limit = most < 0 ? Int.max : most
    let separator = given.value(0, "sep") ?? .none
    if separator == .none {
      if name == "rsplit", limit < Int.max {
        throw JinjaFault.type("rsplit() with maxsplit needs a separator here")
      }
      return .list(PythonText.words(text, limit: limit).map(JinjaValue.string))
    }
    let part = try textArgument(given, 0, "sep", of: name)
    guard !part.isEmpty else { throw JinjaFault.type("empty separator") }
    let pieces =
      name == "split"
      ? PythonText.split(text, part, limit: limit)
      : PythonText.splitFromRight(text, part, limit: limit)
    try spend(bytes: 64 * pieces.count)
    return .list(pieces.map(JinjaValue.string))
  }

  private func hasEnd(_ text: String, _ part: String, front: Bool) -> Bool {
    front
      ? text.utf8.starts(with: part.utf8) : text.utf8.reversed().starts(with: part.utf8.reversed())
  }

  private func matchesEnd(_ text: String, _ name: String, _ given: JinjaCall) throws -> Bool {
    let value = try argument(given, 0, "prefix", of: name)
    let parts: [JinjaValue] = if case .tuple(let parts) = value { parts } else { [value] }
    for part in parts {
      guard case .string(let part) = part else {
        throw JinjaFault.type(
          "\(name) first arg must be str or a tuple of str, not \(part.typeName)")
      }
      if hasEnd(text, part, front: name == "startswith") { return true }
    }
    return false
  }

  func replace(_ text: String, _ old: String, _ new: String, _ count: JinjaValue?) throws -> String
  {
    let limit = count?.asInteger ?? -1
    let out = PythonText.replace(text, old, new, limit: limit < 0 ? .max : limit)
    try spend(bytes: out.utf8.count)
    return out
  }

  func join(_ parts: [JinjaValue], _ separator: String) throws -> String {
    var out = ""
    for (i, part) in parts.enumerated() {
      if i > 0 { out += separator }
      out += part.text
      guard out.utf8.count <= limits.outputBytes else {
        throw JinjaFault("a text of more than \(limits.outputBytes) bytes", cure: "join less")
      }
    }
    try spend(bytes: out.utf8.count)
    return out
  }

  private func search(_ text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    let part = try textArgument(given, 0, "sub", of: name)
    if part.isEmpty {
      let count = text.unicodeScalars.count
      return .integer(name == "count" ? count + 1 : name == "rfind" ? count : 0)
    }
    let places = PythonText.places(of: part, in: text, limit: name == "find" ? 1 : .max)
    if name == "count" { return .integer(places.count) }
    var place = places.first
    if name == "rfind" {
      place = PythonText.splitFromRight(text, part, limit: 1).first.map { $0.utf8.count }
      if places.isEmpty { place = nil }
    }
    guard let place else {
      if name == "index" { throw JinjaFault.type("substring not found") }
      return .integer(-1)
    }
    let before = String(decoding: Array(text.utf8).prefix(place), as: UTF8.self)
    return .integer(before.unicodeScalars.count)
  }

  func padded(_ text: String, _ name: String, _ given: JinjaCall) throws -> JinjaValue {
    guard let width = try argument(given, 0, "width", of: name).asInteger else {
      throw JinjaFault.type("\(name)() needs a whole number")
    }
    guard width <= limits.outputBytes else {
      throw JinjaFault("a text of more than \(limits.outputBytes) bytes", cure: "pad less")
    }
    try spend(bytes: max(0, width))
    if name == "zfill" {
      let isSigned = text.hasPrefix("-") || text.hasPrefix("+")
      let digits = isSigned ? String(text.dropFirst()) : text
      let padded = PythonText.pad(
        digits, width - (isSigned ? 1 : 0), "0", left: true, right: false)
      return .string((isSigned ? String(text.prefix(1)) : "") + padded)
    }
    let fill = given.value(1, "fillchar")?.text ?? " "
    return .string(
      PythonText.pad(text, width, fill, left: name != "ljust", right: name != "rjust"))
  }

  private static func holds(_ name: String, _ text: String) -> Bool {
    let scalars = text.unicodeScalars
    guard !scalars.isEmpty else { return false }
    switch name {
    case "isdigit":
      return scalars.allSatisfy {
        $0.properties.numericType == .decimal || $0.properties.numericType == .digit
      }
    case "isalpha": return scalars.allSatisfy(isLetter)
    case "isalnum":
      return scalars.allSatisfy { isLetter($0) || $0.properties.numericType != nil }
    case "isspace": return scalars.allSatisfy(PythonSpace.contains)
    case "isupper":
      return scalars.contains { $0.properties.isUppercase }
        && !scalars.contains { $0.properties.isLowercase }
    default:
      return scalars.contains { $0.properties.isLowercase }
        && !scalars.contains { $0.properties.isUppercase }
    }
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }
}
