import CSparPlugin
import Glibc
import SparHost
import SparTensor

/// A batch of made-up answers with every input that an objective can ask for.
///
/// Win probabilities and scores of a group agree with one another: P(i, j) = 1/(1 + e^-W(i, j)).
struct RandomBatch: Equatable {
  /// Which answers of a group are labelled.
  enum Labelling: String, CaseIterable {
    /// One chosen and one rejected answer of every group.
    case bestAndWorst = "best and worst"
    /// Every answer is chosen or rejected, so there are pairs of all kinds, also of none.
    case every = "every answer"
    /// Nothing is labelled: objectives that learn from all answers alike.
    case none = "no answer"
  }

  struct Group: Equatable {
    var logp: [Double]
    var ref: [Double]
    /// [m, m] log-odds that i beats j.
    var score: [Double]
    var tokens: [Int64]
    var label: [Int8]
    var tokLogp: [[Float]]
    var tokRef: [[Float]]
    var tokP2: [[Float]]
    var margin: [Double]

    var count: Int { logp.count }
    var pairwise: [Double] { score.map { 1 / (1 + exp(-$0)) } }

    func mean(_ table: [Double], _ i: Int) -> Double {
      table[i * count..<(i + 1) * count].reduce(0, +) / Double(count)
    }
  }

  var groups: [Group]
  var progress = 0.5

  var n: Int { groups.reduce(0) { $0 + $1.count } }
  var tokens: Int { groups.reduce(0) { $0 + $1.tokens.reduce(0) { $0 + Int($1) } } }

  init(groups: [Group]) { self.groups = groups }

  init(seed: UInt64, item: Int, sizes: [Int] = [2, 2, 5, 3, 1], _ labelling: Labelling) {
    var random = Random(seed: seed, stage: .initialise, item: item)
    groups = sizes.map { Self.group($0, labelling, &random) }
  }

  private static func group(
    _ m: Int, _ labelling: Labelling, _ random: inout Random
  ) -> Group {
    var score = [Double](repeating: 0, count: m * m)
    for i in 0..<m {
      for j in 0..<i {
        score[i * m + j] = 6 * random.uniform() - 3
        score[j * m + i] = -score[i * m + j]
      }
    }
    var group = Group(
      logp: [], ref: [], score: score, tokens: [], label: .init(repeating: 0, count: m),
      tokLogp: [], tokRef: [], tokP2: [], margin: [])
    for _ in 0..<m {
      let tokens = 1 + Int(random.next() % 9)
      let own = (0..<tokens).map { _ in Float(-0.1 - 4 * random.uniform()) }
      let ref = own.map { $0 + Float(random.uniform() - 0.5) }
      group.tokens.append(Int64(tokens))
      group.tokLogp.append(own)
      group.tokRef.append(ref)
      group.tokP2.append(own.map { min(1, exp($0) + Float(0.2 * random.uniform())) })
      group.logp.append(own.reduce(0) { $0 + Double($1) })
      group.ref.append(ref.reduce(0) { $0 + Double($1) })
      group.margin.append(2 * random.uniform())
    }
    switch labelling {
    case .none: break
    case .every: for i in 0..<m { group.label[i] = random.uniform() < 0.5 ? 1 : -1 }
    case .bestAndWorst where m > 1:
      let order = (0..<m).sorted { group.mean(score, $0) < group.mean(score, $1) }
      group.label[order[m - 1]] = 1
      group.label[order[0]] = -1
    case .bestAndWorst: break
    }
    return group
  }

  /// Group and row of the batch's row `i`.
  func place(_ i: Int) -> (group: Int, row: Int) {
    var rest = i
    for (g, group) in groups.enumerated() {
      if rest < group.count { return (g, rest) }
      rest -= group.count
    }
    preconditionFailure("row \(i) of \(n)")
  }

  /// Group, row and token of the batch's token `t`.
  func tokenPlace(_ t: Int) -> (group: Int, row: Int, token: Int) {
    var rest = t
    for (g, group) in groups.enumerated() {
      for (row, tokens) in group.tokens.enumerated() {
        if rest < Int(tokens) { return (g, row, rest) }
        rest -= Int(tokens)
      }
    }
    preconditionFailure("token \(t) of \(tokens)")
  }
}

/// A batch in guarded memory, as the ABI describes it.
struct LentBatch {
  let pointer: UnsafeMutablePointer<spar_objective_batch>
  let n: Int
  let tokens: Int
  let metrics: Int
  /// Our own copy, whose pointers the plugin cannot change.
  private let own: spar_objective_batch
  private let arena: GuardedArena

  /// `needs`: other inputs stay NULL.
  init(_ batch: RandomBatch, needs: ObjectiveNeeds, metrics: Int, age: HostAge) {
    let arena = GuardedArena()
    func column<T: BitwiseCopyable>(
      _ wanted: Bool = true, _ of: (RandomBatch.Group) -> [T]
    ) -> UnsafePointer<T>? {
      wanted ? UnsafePointer(arena.copy(batch.groups.flatMap(of))) : nil
    }
    func means(_ table: @escaping (RandomBatch.Group) -> [Double])
      -> (RandomBatch.Group) -> [Double]
    {
      { group in (0..<group.count).map { group.mean(table(group), $0) } }
    }
    var begin: [Int64] = [0]
    for group in batch.groups { begin.append((begin.last ?? 0) + Int64(group.count)) }
    let wantsTokens = needs.contains(.tokens)
    let (n, tokens) = (batch.n, batch.tokens)
    var c = spar_objective_batch()
    c.n = Int64(n)
    c.n_groups = Int64(batch.groups.count)
    c.begin = UnsafePointer(arena.copy(begin))
    c.logp = column(true, \.logp)
    c.ref_logp = column(needs.contains(.reference), \.ref)
    c.win_prob = column(needs.contains(.winProb), means { $0.pairwise })
    c.mean_score = column(needs.contains(.score), means { $0.score })
    c.pairwise = column(needs.contains(.pairwise), \.pairwise)
    c.score = column(needs.contains(.score), \.score)
    c.n_tokens = column(true, \.tokens)
    c.label = column(true, \.label)
    c.tok_logp = column(wantsTokens) { $0.tokLogp.flatMap { $0 } }
    c.tok_ref_logp = column(wantsTokens && needs.contains(.reference)) {
      $0.tokRef.flatMap { $0 }
    }
    c.tok_sum_p2 = column(needs.contains(.sumP2)) { $0.tokP2.flatMap { $0 } }
    if age != .past {
      let margin = spar_column(name: arena.text("margin"), values: column(true, \.margin))
      c.columns = UnsafePointer(arena.copy([margin]))
      c.n_columns = 1
    }
    c.step_pairs = Int64(batch.groups.count)
    c.step_answers = Int64(n)
    c.step_tokens = Int64(tokens)
    c.progress = batch.progress
    c.loss = arena.fill(0, count: n)
    c.dlogp = arena.fill(0, count: n)
    c.dtok_logp = wantsTokens ? arena.fill(0, count: tokens) : nil
    c.metric_sum = arena.fill(0, count: metrics)
    c.metric_weight = arena.fill(0, count: metrics)
    // Without metrics the last members mean nothing, and an old host has none.
    let pastSize =
      metrics == 0 ? MemoryLayout<spar_objective_batch>.offset(of: \.metric_sum) : nil
    pointer = arena.structure(c, age, pastSize: pastSize)
    own = c
    self.arena = arena
    self.n = n
    self.tokens = tokens
    self.metrics = metrics
  }

  private func values<T>(_ start: UnsafeMutablePointer<T>?, _ count: Int) -> [T] {
    Array(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  var result: ObjectiveResult {
    ObjectiveResult(
      loss: values(own.loss, n), dlogp: values(own.dlogp, n),
      dtokLogp: own.dtok_logp.map { values($0, tokens) },
      metricSum: values(own.metric_sum, metrics), metricWeight: values(own.metric_weight, metrics))
  }
}
