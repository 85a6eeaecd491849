/// Python's string functions that Swift lacks, by code points and in linear time.
enum PythonText {
  /// The first place of `part` in `bytes` from `start` on.
  static func find(_ part: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard let first = part.first else { return start <= bytes.count ? start : nil }
    guard bytes.count >= part.count else { return nil }
    // Knuth–Morris–Pratt once the plain comparison has wasted too much.
    var at = start
    var wasted = 0
    while at + part.count <= bytes.count {
      if bytes[at] == first {
        var same = 1
        while same < part.count, bytes[at + same] == part[same] { same += 1 }
        if same == part.count { return at }
        wasted += same
        if wasted > 4 * (at - start) + 1024 { return findByBorders(part, in: bytes, from: at) }
      }
      at += 1
    }
    return nil
  }

  private static func findByBorders(_ part: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    var borders = [Int](repeating: 0, count: part.count)
    var k = 0
    for i in 1..<part.count {
      while k > 0, part[i] != part[k] { k = borders[k - 1] }
      if part[i] == part[k] { k += 1 }
      borders[i] = k
    }
    k = 0
    for i in start..<bytes.count {
      while k > 0, bytes[i] != part[k] { k = borders[k - 1] }
      if bytes[i] == part[k] { k += 1 }
      if k == part.count { return i - k + 1 }
    }
    return nil
  }

  static func places(of part: String, in text: String, limit: Int = .max) -> [Int] {
    let bytes = Array(text.utf8)
    let part = Array(part.utf8)
    var out: [Int] = []
    var at = 0
    while out.count < limit, let place = find(part, in: bytes, from: at) {
      out.append(place)
      at = place + part.count
    }
    return out
  }

  static func replace(_ text: String, _ old: String, _ new: String, limit: Int) -> String {
    if old.isEmpty {
      var out = ""
      var count = 0
      for scalar in text.unicodeScalars {
        if count < limit { out += new }
        count += 1
        out.unicodeScalars.append(scalar)
      }
      return count < limit ? out + new : out
    }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var at = 0
    for place in places(of: old, in: text, limit: limit) {
      out.append(contentsOf: bytes[at..<place])
      out.append(contentsOf: new.utf8)
      at = place + old.utf8.count
    }
    out.append(contentsOf: bytes[at...])
    return String(decoding: out, as: UTF8.self)
  }

  static func split(_ text: String, _ separator: String, limit: Int) -> [String] {
    let bytes = Array(text.utf8)
    return pieces(bytes, places(of: separator, in: text, limit: limit), separator.utf8.count)
  }

  /// From the right: the last `limit` separators count. They may not overlap, seen from the right.
  static func splitFromRight(_ text: String, _ separator: String, limit: Int) -> [String] {
    let bytes = Array(text.utf8)
    let mirrored = places(
      of: mirror(separator), in: mirror(text), limit: limit)
    let width = separator.utf8.count
    return pieces(bytes, mirrored.reversed().map { bytes.count - $0 - width }, width)
  }

  /// By code points backwards is not enough to find bytes again, so by scalars' own bytes.
  private static func mirror(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.reversed() { out.append(scalar) }
    return String(out)
  }

  private static func pieces(_ bytes: [UInt8], _ places: [Int], _ width: Int) -> [String] {
    var out: [String] = []
    var at = 0
    for place in places {
      out.append(String(decoding: bytes[at..<place], as: UTF8.self))
      at = place + width
    }
    out.append(String(decoding: bytes[at...], as: UTF8.self))
    return out
  }

  /// `split()` without a separator: runs of white space.
  static func words(_ text: String, limit: Int = .max) -> [String] {
    var out: [String] = []
    var rest = text.unicodeScalars[...]
    while true {
      rest = rest.drop(while: PythonSpace.contains)
      guard !rest.isEmpty else { return out }
      if out.count == limit {
        out.append(String(rest))
        return out
      }
      let word = rest.prefix { !PythonSpace.contains($0) }
      out.append(String(word))
      rest = rest[word.endIndex...]
    }
  }

  /// `rsplit()` without a separator.
  static func wordsFromRight(_ text: String, limit: Int) -> [String] {
    var out: [String] = []
    var rest = text.unicodeScalars[...]
    func dropSpace() {
      while let last = rest.last, PythonSpace.contains(last) { rest.removeLast() }
    }
    while true {
      dropSpace()
      guard !rest.isEmpty else { break }
      if out.count == limit {
        out.append(String(rest))
        break
      }
      var word: [Unicode.Scalar] = []
      while let last = rest.last, !PythonSpace.contains(last) {
        word.append(last)
        rest.removeLast()
      }
      out.append(String(String.UnicodeScalarView(word.reversed())))
    }
    return out.reversed()
  }

  /// `expandtabs(size)`.
  static func expandTabs(_ text: String, size: Int) -> String {
    var out = String.UnicodeScalarView()
    var column = 0
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\t":
        guard size > 0 else { continue }
        let missing = size - column % size
        out.append(contentsOf: repeatElement(" ", count: missing))
        column += missing
      case "\n", "\r":
        out.append(scalar)
        column = 0
      default:
        out.append(scalar)
        column += 1
      }
    }
    return String(out)
  }

  /// `splitlines(keepends)`.
  static func lines(_ text: String, keepingEnds: Bool = false) -> [String] {
    var out: [String] = []
    var line = String.UnicodeScalarView()
    var pending = false
    var afterReturn = false
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A where afterReturn:
        afterReturn = false
        if keepingEnds { out[out.count - 1].unicodeScalars.append(scalar) }
      case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029:
        if keepingEnds { line.append(scalar) }
        out.append(String(line))
        line = .init()
        pending = false
        afterReturn = scalar.value == 0x0D
      default:
        line.append(scalar)
        pending = true
        afterReturn = false
      }
    }
    if pending { out.append(String(line)) }
    return out
  }

  /// `strip`, `lstrip`, `rstrip`; nil = white space, otherwise any of these characters.
  static func strip(_ text: String, _ characters: String?, left: Bool, right: Bool) -> String {
    let set = characters.map { Set($0.unicodeScalars) }
    func goes(_ scalar: Unicode.Scalar) -> Bool {
      set?.contains(scalar) ?? PythonSpace.contains(scalar)
    }
    var view = text.unicodeScalars[...]
    if left { view = view.drop(while: goes) }
    if right {
      while let last = view.last, goes(last) { view.removeLast() }
    }
    return String(view)
  }

  static func pad(_ text: String, _ width: Int, _ fill: String, left: Bool, right: Bool) -> String {
    let missing = width - text.unicodeScalars.count
    guard missing > 0 else { return text }
    // Of an odd number `center` puts the larger half where CPython does.
    let before =
      left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0
    return String(repeating: fill, count: before) + text
      + String(repeating: fill, count: missing - before)
  }
}
