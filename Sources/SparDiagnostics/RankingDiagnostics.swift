/// What a stored ranking is like: its table as a whole, its circles with what the answers say, and
/// how far the rankers of a mix agree.
public struct RankingDiagnostics: Equatable, Sendable, Codable {
  public var table: TableDiagnostics
  /// The strongest circles, in the order of `table.cycles`.
  public var circles: [Circle]
  /// The rankers of a mix, two by two.
  public var agreements: [NamedAgreement]

  /// A circle with the beginnings of its answers.
  public struct Circle: Equatable, Sendable, Codable {
    public var example: TableDiagnostics.CycleExample
    /// One for each of its answers, at most `openingLength` characters on one line; empty where the
    /// candidates are not at hand.
    public var openings: [String]
  }

  public static let openingLength = 60

  public init(_ ranked: RankedTable) {
    table = TableDiagnostics(ranked.prompts)
    let rows = Dictionary(ranked.prompts.map { ($0.id, $0) }) { first, _ in first }
    circles = table.cycles.map { example in
      Circle(
        example: example,
        openings: (rows[example.prompt]?.answers).map { answers in
          example.answers.map { Self.opening(answers[$0].text) }
        } ?? [])
    }
    agreements = ranked.components.indices.flatMap { i in
      ranked.components.indices.dropFirst(i + 1).map { j in
        NamedAgreement(
          first: ranked.components[i].name, second: ranked.components[j].name,
          agreement: RankerAgreement(ranked.components[i].prompts, ranked.components[j].prompts))
      }
    }
  }

  private static func opening(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count <= openingLength ? line : line.prefix(openingLength - 1) + "…"
  }

  /// For people: the table's lines, then the agreements.
  public var lines: [String] {
    table.lines
      + agreements.flatMap { named in
        named.agreement.lines.map { "\(named.first) against \(named.second): \($0)" }
      }
  }
}

/// How far two named rankers agree.
public struct NamedAgreement: Equatable, Sendable, Codable {
  public var first: String
  public var second: String
  public var agreement: RankerAgreement

  public init(first: String, second: String, agreement: RankerAgreement) {
    (self.first, self.second, self.agreement) = (first, second, agreement)
  }
}
