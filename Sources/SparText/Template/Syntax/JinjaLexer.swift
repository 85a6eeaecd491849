/// Cuts a template into text and the tokens inside of tags.
///
/// White space as transformers sets it up: `trim_blocks` (the newline behind a block tag goes),
/// `lstrip_blocks` (blanks before a block tag that starts a line go), `-` and `+` in tags, one
/// newline at the very end goes. Source: jinja2 3.1 `lexer.py`.
struct JinjaLexer {
  let text: [UInt8]
  var at = 0
  private(set) var line = 1
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

  func failure(_ what: String, line: Int? = nil) -> JinjaSyntaxError {
    JinjaSyntaxError(what: what, line: line ?? self.line)
  }

  private func has(_ word: StaticString, at place: Int) -> Bool {
    guard place + word.utf8CodeUnitCount <= text.count else { return false }
    for i in 0..<word.utf8CodeUnitCount where text[place + i] != word.utf8Start[i] { return false }
    return true
  }

  mutating func add(_ kind: JinjaToken.Kind) {
    tokens.append(JinjaToken(kind: kind, line: line))
  }

  /// Moves to `place`, counting lines.
  mutating func move(to place: Int) {
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
