import SparDiagnostics

/// What the rankers are like, iteration by iteration: arms whose rankings are the same count once.
struct RankingTables {
  let comparison: Comparison

  /// Rankings of one or more runs that have the same figures throughout.
  struct Group {
    var name: String
    /// Which colour and mark.
    var style: Int
    var iterations: [(number: Int, ranking: RunResult.Ranking)]
  }

  /// In the order of the points.
  var groups: [Group] {
    var found: [(points: [Comparison.Point], iterations: [(Int, RunResult.Ranking)])] = []
    var all = 0
    for point in comparison.points {
      let iterations = point.result.iterations.compactMap { iteration in
        iteration.ranking.map { (iteration.number, $0) }
      }
      guard !iterations.isEmpty else { continue }
      all += 1
      let known = found.firstIndex { group in
        group.iterations.count == iterations.count
          && zip(group.iterations, iterations).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 }
      }
      if let known {
        found[known].points.append(point)
      } else {
        found.append(([point], iterations))
      }
    }
    return found.enumerated().map { number, group in
      Group(
        name: group.points.count == all ? (all == 1 ? "the run" : "all runs") : name(group.points),
        style: number, iterations: group.iterations.map { (number: $0.0, ranking: $0.1) })
    }
  }

  /// The arms of the points, or the points where they are not all of their arms.
  private func name(_ points: [Comparison.Point]) -> String {
    let arms = comparison.arms.filter { arm in points.contains { $0.arm == arm.name } }
    let isWhole = arms.reduce(0) { $0 + $1.points.count } == points.count
    let names = isWhole ? arms.map(\.label) : points.map(\.id)
    return names.count <= 3
      ? names.joined(separator: ", ") : "\(names[0]) and \(names.count - 1) more"
  }

  struct Measure {
    var name: String
    /// A level that means something, such as one half.
    var level: Double?
    var value: @Sendable (TableDiagnostics) -> Double?
  }

  /// Shares that are drawn over iterations.
  static let measures: [Measure] = [
    Measure(name: "Triples of answers in a circle") {
      share($0.intransitiveTriples, $0.triples)
    },
    Measure(name: "Best by S also first by Nash") { share($0.nashAgrees, $0.prompts) },
    Measure(name: "Pairs that change with the order") { $0.orderDisagreement },
    Measure(name: "Longer answer wins", level: 0.5) { $0.longerWins },
    Measure(name: "Answers cut off") { $0.truncatedAnswers },
    Measure(name: "Answers that open like a refusal") { $0.refusals },
  ]

  static func share(_ part: Int, _ whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }

  private static let head = [
    "runs", "iteration", "ranker", "prompts × answers", "circles", "prompts with a circle",
    "one beats all", "best by S = Copeland", "= Borda", "= Nash", "loses to strongest, points",
    "change with order", "bias to first", "longer wins", "correlation with length", "cut off",
    "refusals",
  ]

  /// One row for each group and iteration.
  var diagnostics: ResultTables.Table {
    ResultTables.Table(
      head: Self.head,
      rows: groups.flatMap { group in
        group.iterations.map { number, ranking in
          [group.name, "\(number)", ranking.ranker] + Self.cells(ranking.diagnostics.table)
        }
      })
  }

  private static func cells(_ table: TableDiagnostics) -> [String] {
    func percent(_ value: Double?) -> String { value.map(Figure.percent) ?? "–" }
    func signed(_ value: Double?, _ digits: Int) -> String {
      value.map { Figure.signed($0, digits) } ?? "–"
    }
    return [
      "\(table.prompts) × \(table.K)", percent(share(table.intransitiveTriples, table.triples)),
      percent(share(table.cyclicPrompts, table.prompts)),
      percent(share(table.condorcetWinners, table.prompts)),
      percent(share(table.copelandAgrees, table.prompts)),
      percent(share(table.bordaAgrees, table.prompts)),
      percent(share(table.nashAgrees, table.prompts)),
      table.chosenExploitability.map { Figure.decimals(100 * $0, 1) } ?? "–",
      percent(table.orderDisagreement), signed(table.firstPositionBias, 3),
      percent(table.longerWins), signed(table.lengthCorrelation, 2),
      percent(table.truncatedAnswers), percent(table.refusals),
    ]
  }

  /// The strongest circles of each group and iteration, in words.
  var circles: [String] {
    groups.flatMap { group in
      group.iterations.flatMap { number, ranking in
        ranking.diagnostics.circles.map { circle in
          let answers = circle.example.answers.enumerated().map { place, answer in
            "\(answer + 1)" + (circle.openings.isEmpty ? "" : " “\(circle.openings[place])”")
          }
          return (groups.count > 1 ? "\(group.name), " : "") + "iteration \(number), prompt "
            + "\(circle.example.prompt): "
            + (answers + ["\((circle.example.answers.first ?? 0) + 1)"]).joined(separator: " ≻ ")
            + ", each with at least "
            + Figure.percent(0.5 + circle.example.strength)
        }
      }
    }
  }

  /// Rankers of one mix, and rankers of different runs that judged the same answers.
  var agreements: ResultTables.Table {
    var rows: [[String]] = []
    func add(_ place: String, _ named: NamedAgreement) {
      let found = named.agreement
      guard found.prompts > 0 else { return }
      rows.append([
        place, named.first, named.second, "\(found.prompts)", "\(found.pairs)",
        found.pairAgreement.map(Figure.percent) ?? "–",
        Self.share(found.sameBest, found.prompts).map(Figure.percent) ?? "–",
        Self.share(found.sameWorst, found.prompts).map(Figure.percent) ?? "–",
      ])
    }
    let groups = groups
    for group in groups {
      for (number, ranking) in group.iterations {
        for named in ranking.diagnostics.agreements {
          add("\(group.name), iteration \(number)", named)
        }
      }
    }
    for (place, group) in groups.enumerated() {
      for other in groups.dropFirst(place + 1) {
        for (one, two) in zip(group.iterations, other.iterations)
        where one.ranking.candidatesDigest != nil
          && one.ranking.candidatesDigest == two.ranking.candidatesDigest
        {
          add(
            "the same answers, iteration \(one.number)",
            NamedAgreement(
              first: "\(one.ranking.ranker) (\(group.name))",
              second: "\(two.ranking.ranker) (\(other.name))",
              agreement: RankerAgreement(one.ranking.prompts, two.ranking.prompts)))
        }
      }
    }
    return ResultTables.Table(
      head: [
        "where", "ranker", "ranker", "prompts", "pairs", "same winner", "same best", "same worst",
      ], rows: rows)
  }
}
