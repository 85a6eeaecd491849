/// What a preference table is like as a whole: cycles, winners, order, length.
public struct TableDiagnostics: Equatable, Sendable, Codable {
  public var prompts = 0
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public var K = 0

  // MARK: Cycles

  /// Triples of answers, and those that form a circle.
  public var triples = 0
  public var intransitiveTriples = 0
  /// Prompts with at least one circle.
  public var cyclicPrompts = 0
  /// The strongest circles, at most `cycleLimit`.
  public var cycles: [CycleExample] = []

  // MARK: Winners

  /// Prompts where the answer with the largest S is also the winner by the other rule.
  public var copelandAgrees = 0
  public var bordaAgrees = 0
  /// … where it has the largest weight in the maximal lottery.
  public var nashAgrees = 0
  public var condorcetWinners = 0
  /// Mean over prompts of the largest P(j beats the chosen answer) − ½, where positive.
  public var chosenExploitability: Double?
  /// Mean number of answers with weight above 1 % in the maximal lottery.
  public var nashSupport: Double?

  // MARK: Both orders

  /// Share of pairs whose winner changes with the order they are shown in; nil where the ranker is
  /// antisymmetric or gives no raw scores.
  public var orderDisagreement: Double?
  /// Mean of M(i, j) + M(j, i) over mean |M(i, j) − M(j, i)|: above 0 favours the first.
  public var firstPositionBias: Double?

  // MARK: Length and ends

  /// Pearson correlation of S with tokens, both as differences from their prompt's mean.
  public var lengthCorrelation: Double?
  /// Share of pairs (of different length, not tied) that the longer answer wins.
  public var longerWins: Double?
  public var truncatedAnswers: Double?
  public var refusals: Double?

  public static let cycleLimit = 5

  /// A circle and where it stands.
  public struct CycleExample: Equatable, Sendable, Codable {
    public var prompt: String
    public var answers: [Int]
    public var strength: Double
  }

  public init(_ rows: [RankedPrompt]) {
    prompts = rows.count
    K = rows.map(\.tournament.k).max() ?? 0
    var order = OrderTally()
    var length = LengthTally()
    var support = Mean()
    var exploitability = Mean()
    for row in rows {
      addCycles(row)
      addWinners(row, &support, &exploitability)
      order.add(row)
      length.add(row)
    }
    cycles = Array(
      cycles.sorted { ($1.strength, $0.prompt) < ($0.strength, $1.prompt) }
        .prefix(Self.cycleLimit))
    nashSupport = support.value
    chosenExploitability = exploitability.value
    (orderDisagreement, firstPositionBias) = order.result
    lengthCorrelation = length.correlation.value
    longerWins = length.longerWins.value
    truncatedAnswers = length.truncated.value
    refusals = length.refusals.value
  }

  private mutating func addCycles(_ row: RankedPrompt) {
    let found = row.tournament.cycles
    triples += row.tournament.triples
    intransitiveTriples += found.count
    cyclicPrompts += found.isEmpty ? 0 : 1
    cycles += found.map {
      CycleExample(prompt: row.id, answers: $0.answers, strength: $0.strength)
    }
  }

  private mutating func addWinners(
    _ row: RankedPrompt, _ support: inout Mean, _ exploitability: inout Mean
  ) {
    guard let best = row.scores.firstMaximum else { return }
    let (k, match) = (row.tournament.k, row.tournament)
    // Ties: it agrees if it is one of the winners.
    func isFirst(_ scores: [Double]) -> Bool { scores[best] >= (scores.max() ?? 0) - 1e-9 }
    copelandAgrees += isFirst(match.copeland) ? 1 : 0
    bordaAgrees += isFirst(match.borda) ? 1 : 0
    condorcetWinners += match.condorcetWinner == nil ? 0 : 1
    let lottery = MaximalLottery(match)
    nashAgrees += isFirst(lottery.weights) ? 1 : 0
    support.add(Double(lottery.weights.count { $0 > 0.01 }))
    exploitability.add(max(0, (0..<k).map { match.probability[$0 * k + best] - 0.5 }.max() ?? 0))
  }
}
