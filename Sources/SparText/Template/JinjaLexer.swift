/// Cuts a template into text and the tokens inside of tags.
///
/// White space as transformers sets it up: `trim_blocks` (the newline behind a block tag goes),
/// `lstrip_blocks` (blanks before a block tag that starts a line go), `-` and `+` in tags, one
/// newline at the very end goes. Source: jinja2 3.1 `lexer.py`.
struct JinjaLexer {
  private let text: [UInt8]
  private var at = 0
  private var line = 1
  private var tokens: [JinjaToken] = []
  /// The last token ended with a newline, so blanks before the next tag start a line.
  private var startsLine = true

  static func tokens(_ source: String) throws(JinjaSyntaxError) -> [JinjaToken] {
    var lexer = JinjaLexer(source)
    try lexer.run()
    return lexer.tokens
  }

  private init(_ source: String) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.utf8.count)
    var afterReturn = false
    for byte in source.utf8 {
      if byte == 0x0A, afterReturn {
        afterReturn = false
        continue
      }
      afterReturn = byte == 0x0D
      bytes.append(afterReturn ? 0x0A : byte)
    }
    if bytes.last == 0x0A { bytes.removeLast() }
    text = bytes
  }

  private func failure(_ what: String, line: Int? = nil) -> JinjaSyntaxError {
    JinjaSyntaxError(what: what, line: line ?? self.line)
  }

  private func has(_ word: StaticString, at place: Int) -> Bool {
    guard place + word.utf8CodeUnitCount <= text.count else { return false }
    for i in 0..<word.utf8CodeUnitCount where text[place + i] != word.utf8Start[i] { return false }
    return true
  }

  private mutating func add(_ kind: JinjaToken.Kind) {
    tokens.append(JinjaToken(kind: kind, line: line))
  }

  /// Moves to `place`, counting lines.
  private mutating func move(to place: Int) {
    for i in at..<place where text[i] == 0x0A { line += 1 }
    at = place
  }

  private mutating func run() throws(JinjaSyntaxError) {
    while at < text.count {
      var tag = at
      while tag < text.count, !isTag(tag) { tag += 1 }
      guard tag < text.count else {
        addData(at..<text.count)
        move(to: text.count)
        break
      }
      let mark = tag + 2 < text.count ? text[tag + 2] : 0
      let isVariable = text[tag + 1] == UInt8(ascii: "{")
      let data = strippedBeforeTag(at..<tag, mark: mark, isVariable: isVariable)
      addData(data)
      move(to: tag)
      let isSigned = mark == UInt8(ascii: "-") || mark == UInt8(ascii: "+")
      switch text[tag + 1] {
      case UInt8(ascii: "#"): try comment()
      case UInt8(ascii: "{"):
        add(.variableBegin)
        move(to: tag + (isSigned ? 3 : 2))
        try inside(isVariable: true)
      default:
        if let body = rawBegin(tag) {
          try raw(from: body)
        } else {
          add(.blockBegin)
          move(to: tag + (isSigned ? 3 : 2))
          try inside(isVariable: false)
        }
      }
    }
    add(.end)
  }

  private func isTag(_ place: Int) -> Bool {
    guard text[place] == UInt8(ascii: "{"), place + 1 < text.count else { return false }
    switch text[place + 1] {
    case UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "#"): return true
    default: return false
    }
  }

  private mutating func addData(_ range: Range<Int>) {
    if !range.isEmpty { add(.data(String(decoding: text[range], as: UTF8.self))) }
  }

  /// What is left of the text before a tag: `-` eats all white space, lstrip_blocks the blanks
  /// between a line's start and a block tag.
  private func strippedBeforeTag(_ range: Range<Int>, mark: UInt8, isVariable: Bool) -> Range<Int> {
    if mark == UInt8(ascii: "-") {
      return range.lowerBound..<spaceStart(range)
    }
    guard mark != UInt8(ascii: "+"), !isVariable else { return range }
    let start = (text[range].lastIndex(of: 0x0A) ?? range.lowerBound - 1) + 1
    guard start > range.lowerBound || startsLine else { return range }
    let blank = spaceStart(start..<range.upperBound)
    return blank == start ? range.lowerBound..<start : range
  }

  private func spaceStart(_ range: Range<Int>) -> Int {
    text.withUnsafeBufferPointer { bytes in
      var end = range.upperBound
      while end > range.lowerBound {
        var start = end - 1
        while start > range.lowerBound, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        guard PythonSpace.contains(TextScan.scalar(bytes, at: start)) else { break }
        end = start
      }
      return end
    }
  }

  private func spaceEnd(_ start: Int) -> Int {
    text.withUnsafeBufferPointer { bytes in
      var at = start
      while at < bytes.count {
        let scalar = TextScan.scalar(bytes, at: at)
        guard PythonSpace.contains(scalar) else { break }
        at += UTF8.width(scalar)
      }
      return at
    }
  }

  /// Behind a block or comment tag: `-` eats white space, otherwise one newline goes.
  private mutating func leaveTag(_ end: Int, mark: UInt8) {
    var next = end
    if mark == UInt8(ascii: "-") {
      next = spaceEnd(end)
    } else if mark != UInt8(ascii: "+"), end < text.count, text[end] == 0x0A {
      next = end + 1
    }
    startsLine = text[next - 1] == 0x0A
    move(to: next)
  }

  private mutating func comment() throws(JinjaSyntaxError) {
    var end = at + 2
    while end < text.count, !has("#}", at: end) { end += 1 }
    guard end < text.count else { throw failure("Missing end of comment tag") }
    leaveTag(end + 2, mark: end > at + 2 ? text[end - 1] : 0)
  }

  // MARK: Raw blocks

  /// The start of the raw text where a `{% raw %}` begins at `tag`.
  private func rawBegin(_ tag: Int) -> Int? {
    guard let end = wordTag("raw", tag) else { return nil }
    // Unlike other blocks, raw keeps the newline behind it.
    return end.mark == UInt8(ascii: "-") ? spaceEnd(end.place) : end.place
  }

  private func wordTag(_ word: StaticString, _ tag: Int) -> (place: Int, mark: UInt8)? {
    guard has("{%", at: tag) else { return nil }
    var place = tag + 2
    if place < text.count, text[place] == UInt8(ascii: "-") || text[place] == UInt8(ascii: "+") {
      place += 1
    }
    place = spaceEnd(place)
    guard has(word, at: place) else { return nil }
    place = spaceEnd(place + word.utf8CodeUnitCount)
    var mark: UInt8 = 0
    if place < text.count, text[place] == UInt8(ascii: "-") || text[place] == UInt8(ascii: "+") {
      mark = text[place]
      place += 1
    }
    return has("%}", at: place) ? (place + 2, mark) : nil
  }

  private mutating func raw(from body: Int) throws(JinjaSyntaxError) {
    let opened = line
    move(to: body)
    startsLine = text[body - 1] == 0x0A
    var tag = body
    while tag < text.count {
      if has("{%", at: tag), let end = wordTag("endraw", tag) {
        let mark = text[tag + 2]
        addData(strippedBeforeTag(body..<tag, mark: mark, isVariable: false))
        move(to: tag)
        leaveTag(end.place, mark: end.mark)
        return
      }
      tag += 1
    }
    throw failure("Missing end of raw directive", line: opened)
  }

  // MARK: Inside of a tag

  private mutating func inside(isVariable: Bool) throws(JinjaSyntaxError) {
    let opened = line
    var brackets: [UInt8] = []
    while true {
      move(to: spaceEnd(at))
      guard at < text.count else {
        throw failure("unexpected end of template, the tag is not closed", line: opened)
      }
      if brackets.isEmpty, let end = tagEnd(isVariable) {
        add(isVariable ? .variableEnd : .blockEnd)
        if isVariable {
          move(to: end.mark == UInt8(ascii: "-") ? spaceEnd(end.place) : end.place)
          startsLine = text[at - 1] == 0x0A
        } else {
          leaveTag(end.place, mark: end.mark)
        }
        return
      }
      try token(&brackets)
    }
  }

  private func tagEnd(_ isVariable: Bool) -> (place: Int, mark: UInt8)? {
    var place = at
    var mark: UInt8 = 0
    if text[place] == UInt8(ascii: "-") || (!isVariable && text[place] == UInt8(ascii: "+")) {
      mark = text[place]
      place += 1
    }
    return has(isVariable ? "}}" : "%}", at: place) ? (place + 2, mark) : nil
  }

  private mutating func token(_ brackets: inout [UInt8]) throws(JinjaSyntaxError) {
    let byte = text[at]
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: "'"), UInt8(ascii: "\""): try string(quote: byte)
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"), 0x80...:
      let start = at
      while at < text.count, isNamePart(text[at]) { at += 1 }
      add(.name(String(decoding: text[start..<at], as: UTF8.self)))
    default: try symbol(byte, &brackets)
    }
  }

  private func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  private mutating func symbol(_ byte: UInt8, _ brackets: inout [UInt8]) throws(JinjaSyntaxError) {
    for pair in ["==", "!=", ">=", "<=", "//", "**"] as [StaticString] where has(pair, at: at) {
      add(.symbol(pair.description))
      at += 2
      return
    }
    switch byte {
    case UInt8(ascii: "("): brackets.append(UInt8(ascii: ")"))
    case UInt8(ascii: "["): brackets.append(UInt8(ascii: "]"))
    case UInt8(ascii: "{"): brackets.append(UInt8(ascii: "}"))
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      guard let expected = brackets.popLast() else {
        throw failure("unexpected '\(Character(Unicode.Scalar(byte)))'")
      }
      guard expected == byte else {
        throw failure(
          "unexpected '\(Character(Unicode.Scalar(byte)))', "
            + "expected '\(Character(Unicode.Scalar(expected)))'")
      }
    default:
      guard "+-*/%~.:,|=<>;".utf8.contains(byte) else {
        throw failure("unexpected char '\(Character(Unicode.Scalar(byte)))'")
      }
    }
    add(.symbol(String(Unicode.Scalar(byte))))
    at += 1
  }
}

/// A template that does not parse.
struct JinjaSyntaxError: Error {
  var what: String
  var line: Int
}

// MARK: Literals

extension JinjaLexer {
  private mutating func number() throws(JinjaSyntaxError) {
    let start = at
    var isFloat = false
    func digit(_ place: Int) -> Bool {
      place < text.count && (0x30...0x39).contains(text[place])
    }
    func digits() -> Int {
      var place = at
      while digit(place)
        || (place < text.count && text[place] == UInt8(ascii: "_") && digit(place + 1))
      {
        place += 1
      }
      return place
    }
    at = digits()
    if at < text.count, text[at] == UInt8(ascii: "."), digit(at + 1) {
      isFloat = true
      at += 1
      at = digits()
    }
    if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
      var place = at + 1
      if place < text.count, text[place] == UInt8(ascii: "+") || text[place] == UInt8(ascii: "-") {
        place += 1
      }
      if digit(place) {
        isFloat = true
        at = place
        at = digits()
      }
    }
    let spelling = String(
      decoding: text[start..<at].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    if !isFloat, let value = Int(spelling) {
      add(.integer(value))
    } else if isFloat, let value = Double(spelling) {
      add(.number(value))
    } else {
      throw failure("the number \(spelling) is too large")
    }
  }

  private mutating func string(quote: UInt8) throws(JinjaSyntaxError) {
    let opened = line
    var out: [UInt8] = []
    var place = at + 1
    while place < text.count, text[place] != quote {
      if text[place] == UInt8(ascii: "\\"), place + 1 < text.count {
        place = try escape(place + 1, into: &out)
      } else {
        out.append(text[place])
        place += 1
      }
    }
    guard place < text.count else { throw failure("an unterminated string", line: opened) }
    add(.string(String(decoding: out, as: UTF8.self)))
    move(to: place + 1)
  }

  /// Python's escapes; an unknown one stays as it is written. Returns the place behind it.
  private func escape(_ place: Int, into out: inout [UInt8]) throws(JinjaSyntaxError) -> Int {
    let simple: [(StaticString, UInt8)] = [
      ("n", 0x0A), ("t", 0x09), ("r", 0x0D), ("\\", 0x5C), ("'", 0x27), ("\"", 0x22), ("a", 0x07),
      ("b", 0x08), ("f", 0x0C), ("v", 0x0B),
    ]
    for (mark, byte) in simple where text[place] == mark.utf8Start[0] {
      out.append(byte)
      return place + 1
    }
    switch text[place] {
    case 0x0A: return place + 1
    case UInt8(ascii: "x"): return try coded(place + 1, digits: 2, into: &out)
    case UInt8(ascii: "u"): return try coded(place + 1, digits: 4, into: &out)
    case UInt8(ascii: "U"): return try coded(place + 1, digits: 8, into: &out)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      var value: UInt32 = 0
      var end = place
      while end < text.count, end < place + 3, (0x30...0x37).contains(text[end]) {
        value = value * 8 + UInt32(text[end] - 0x30)
        end += 1
      }
      out.append(contentsOf: String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
      return end
    default:
      out.append(UInt8(ascii: "\\"))
      return place
    }
  }

  private func coded(
    _ place: Int, digits: Int, into out: inout [UInt8]
  ) throws(JinjaSyntaxError) -> Int {
    let end = min(place + digits, text.count)
    let hexadecimal = String(decoding: text[place..<end], as: UTF8.self)
    guard hexadecimal.utf8.count == digits, let value = UInt32(hexadecimal, radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw failure("the escape \\…\(hexadecimal) names no character") }
    out.append(contentsOf: String(scalar).utf8)
    return end
  }
}
