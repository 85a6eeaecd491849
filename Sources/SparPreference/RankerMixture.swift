import SparHost

extension AnswerRanker {
  /// The weighted sum of raw scores: M = Σ w_r M_r.
  ///
  /// A ranker of probabilities counts with its log-odds.  A pair that one ranker could not compare
  /// is not compared at all.
  public init(mixing parts: [(ranker: AnswerRanker, weight: Double)]) {
    precondition(!parts.isEmpty, "a mix has rankers")
    let options = parts.flatMap { part in
      [("\(part.ranker.identity.id)", "\(part.weight)")]
        + part.ranker.identity.options.map { ("\(part.ranker.identity.id).\($0.key)", $0.value) }
    }
    self.init(
      identity: RankerIdentity(
        id: parts.map(\.ranker.identity.id).joined(separator: "+"),
        version: parts.map(\.ranker.identity.version).joined(separator: "+"),
        options: Dictionary(options, uniquingKeysWith: { first, _ in first })),
      givesRawScores: true, isCostly: parts.contains(where: \.ranker.isCostly),
      tables: { queries in
        var sums = queries.map {
          AnswerTable([Double](repeating: 0, count: $0.responses.count * $0.responses.count))
        }
        for part in parts {
          let tables = try part.ranker.compare(queries)
          guard tables.count == queries.count else {
            throw RankingError.results(
              ranker: part.ranker.identity.id, found: tables.count, queries: queries.count)
          }
          for (q, table) in tables.enumerated() {
            try sums[q].add(
              table, isRaw: part.ranker.givesRawScores, weight: part.weight,
              k: queries[q].responses.count)
          }
        }
        return sums
      })
    mixture = parts.map { ($0.ranker.identity.id, $0.weight) }
  }
}

extension AnswerTable {
  fileprivate mutating func add(
    _ part: AnswerTable, isRaw: Bool, weight: Double, k: Int
  ) throws(WinTableError) {
    var raw = part.values
    if !isRaw { raw = try WinTable(probability: part.values, k: k).logOdds }
    guard raw.count == values.count else {
      throw WinTableError.size(of: "raw score", found: raw.count, answers: k)
    }
    for cell in raw.indices { values[cell] += weight * raw[cell] }
    failed = Self.either(failed, part.failed)
    truncated = Self.either(truncated, part.truncated)
    components.append(raw)
    for cell in failed.indices where failed[cell] { values[cell] = 0 }
  }

  private static func either(_ a: [Bool], _ b: [Bool]) -> [Bool] {
    a.isEmpty ? b : b.isEmpty ? a : zip(a, b).map { $0 || $1 }
  }
}
