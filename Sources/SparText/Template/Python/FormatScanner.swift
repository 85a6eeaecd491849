/// Walks over the code points of a format.
struct FormatScanner {
  private let scalars: [Unicode.Scalar]
  private(set) var place = 0

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
  }

  var peek: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

  mutating func next() -> Unicode.Scalar? {
    guard let scalar = peek else { return nil }
    place += 1
    return scalar
  }

  mutating func prefix(_ goes: (Unicode.Scalar) -> Bool) -> String {
    let start = place
    while let scalar = peek, goes(scalar) { place += 1 }
    return String(String.UnicodeScalarView(scalars[start..<place]))
  }

  mutating func until(_ end: Unicode.Scalar, otherwise message: String) throws -> String {
    let text = prefix { $0 != end }
    guard next() != nil else { throw JinjaFault.type(message) }
    return text
  }

  mutating func number() -> Int? {
    let digits = prefix { ("0"..."9").contains($0) }
    return digits.isEmpty ? nil : Int(digits) ?? .max
  }

  /// What stands between braces, the opening one already read.
  mutating func field() throws -> (name: String, conversion: Unicode.Scalar?, specification: String)
  {
    let name = prefix { $0 != "!" && $0 != ":" && $0 != "}" && $0 != "{" }
    guard peek != "{" else { throw JinjaFault.type("unexpected '{' in field name") }
    var conversion: Unicode.Scalar?
    if peek == "!" {
      place += 1
      conversion = next()
    }
    var specification = String.UnicodeScalarView()
    if peek == ":" {
      place += 1
      var depth = 0
      while let scalar = peek, depth > 0 || scalar != "}" {
        if scalar == "{" { depth += 1 }
        if scalar == "}" { depth -= 1 }
        specification.append(scalar)
        place += 1
      }
    }
    guard next() == "}" else { throw JinjaFault.type("expected '}' before end of string") }
    return (name, conversion, String(specification))
  }

  /// `[[fill]align][sign][#][0][width][,][.precision][type]`
  mutating func specification() throws -> PythonFormat.Specification {
    var out = PythonFormat.Specification()
    let alignments = "<>^=".unicodeScalars
    if scalars.count >= 2, alignments.contains(scalars[1]) {
      out.fill = scalars[0]
      out.alignment = scalars[1]
      place = 2
    } else if let mark = peek, alignments.contains(mark) {
      out.alignment = mark
      place = 1
    }
    if let sign = peek, "+- ".unicodeScalars.contains(sign) {
      out.sign = sign == "-" ? nil : sign
      place += 1
    }
    if peek == "#" {
      out.isAlternate = true
      place += 1
    }
    if peek == "0", out.alignment == nil {
      out.fill = "0"
      place += 1
    }
    out.width = number() ?? 0
    if let mark = peek, mark == "," || mark == "_" {
      out.grouping = mark
      place += 1
    }
    if peek == "." {
      place += 1
      guard let precision = number() else {
        throw JinjaFault.type("Format specifier missing precision")
      }
      out.precision = precision
    }
    out.type = next()
    return out
  }
}
