import CSparPlugin

/// A loss on log-probabilities.  Pure: the same batch gives the same bits, on any thread.
public final class Objective: Sendable {
  public let component: PluginComponent
  public let needs: ObjectiveNeeds
  public let metricNames: [String]
  private let instance: ComponentInstance
  private let api: ObjectiveFunctions

  /// Function pointers of the adopted table.
  private struct ObjectiveFunctions: @unchecked Sendable {
    var table: spar_objective_api
  }

  init(_ instance: ComponentInstance) {
    self.instance = instance
    component = instance.component
    let table = component.raw.api.map { adopt($0, as: spar_objective_api.self) }
    api = ObjectiveFunctions(table: table ?? spar_objective_api())
    needs = component.needs
    var names: [String] = []
    var next = api.table.metric_names
    while let list = next, let name = list.pointee {
      names.append(String(cString: name))
      next = list + 1
    }
    metricNames = names
  }

  /// Losses and gradients of a batch, with the inputs that `needs` names; others are not passed.
  public func evaluate(_ batch: ObjectiveBatch) throws(PluginError) -> ObjectiveResult {
    batch.checkShapes()
    try checkInputs(batch)
    var arena = CallArena()
    var c = spar_objective_batch()
    let n = batch.logp.count
    c.struct_size = UInt64(MemoryLayout<spar_objective_batch>.size)
    c.n = Int64(n)
    c.n_groups = Int64(batch.begin.count - 1)
    c.begin = UnsafePointer(arena.copy(batch.begin))
    c.logp = UnsafePointer(arena.copy(batch.logp))
    if needs.contains(.reference) { c.ref_logp = UnsafePointer(arena.copyIfAny(batch.refLogp)) }
    if needs.contains(.winProb) { c.win_prob = UnsafePointer(arena.copyIfAny(batch.winProb)) }
    if needs.contains(.pairwise) { c.pairwise = UnsafePointer(arena.copyIfAny(batch.pairwise)) }
    if needs.contains(.score) {
      c.mean_score = UnsafePointer(arena.copyIfAny(batch.meanScore))
      c.score = UnsafePointer(arena.copyIfAny(batch.score))
    }
    c.n_tokens = UnsafePointer(arena.copy(batch.nTokens))
    c.label = UnsafePointer(arena.copy(batch.label))
    let tokens = Int(batch.nTokens.reduce(0, +))
    if needs.contains(.tokens) {
      c.tok_logp = UnsafePointer(arena.copyIfAny(batch.tokLogp))
      if needs.contains(.reference) {
        c.tok_ref_logp = UnsafePointer(arena.copyIfAny(batch.tokRefLogp))
      }
      c.dtok_logp = arena.fill(0, count: tokens)
    }
    if needs.contains(.sumP2) { c.tok_sum_p2 = UnsafePointer(arena.copyIfAny(batch.tokSumP2)) }
    var columns: [spar_column] = []
    for (name, values) in batch.columns.sorted(by: { $0.key < $1.key }) {
      columns.append(
        spar_column(name: arena.text(name), values: UnsafePointer(arena.copy(values))))
    }
    c.columns = UnsafePointer(arena.copy(columns))
    c.n_columns = Int64(columns.count)
    c.step_pairs = batch.stepPairs
    c.step_answers = batch.stepAnswers
    c.step_tokens = batch.stepTokens
    c.progress = batch.progress
    c.loss = arena.fill(0, count: n)
    c.dlogp = arena.fill(0, count: n)
    c.metric_sum = arena.fill(0, count: metricNames.count)
    c.metric_weight = arena.fill(0, count: metricNames.count)

    // The plugin gets a copy of the struct, so the pointers read back below are our own.
    var lent = c
    try check(component, "evaluate") { api.table.evaluate(instance.pointer, &lent) }
    let result = ObjectiveResult(
      loss: array(c.loss, n), dlogp: array(c.dlogp, n),
      dtokLogp: c.dtok_logp.map { array($0, tokens) },
      metricSum: array(c.metric_sum, metricNames.count),
      metricWeight: array(c.metric_weight, metricNames.count))
    try checkFinite(result.loss, "loss", batch)
    try checkFinite(result.dlogp, "dlogp", batch)
    if let row = result.dtokLogp?.firstIndex(where: { !$0.isFinite }) {
      throw bad("dtok_logp[\(row)]", "is not finite")
    }
    return result
  }

  private func checkInputs(_ batch: ObjectiveBatch) throws(PluginError) {
    let required: [(ObjectiveNeeds, Bool, String)] = [
      (.reference, batch.refLogp != nil, "log-probabilities of a reference policy (ref_logp)"),
      (.winProb, batch.winProb != nil, "win rates (win_prob)"),
      (.pairwise, batch.pairwise != nil, "the table of win probabilities (pairwise)"),
      (.score, batch.meanScore != nil, "mean log-odds (mean_score)"),
      (.tokens, batch.tokLogp != nil, "log-probabilities of tokens (tok_logp)"),
      (.sumP2, batch.tokSumP2 != nil, "sums of squared probabilities (tok_sum_p2)"),
    ]
    for (need, isThere, name) in required where needs.contains(need) && !isThere {
      throw .missingInput(component: component.id, input: name)
    }
  }

  private func checkFinite(
    _ values: [Double], _ name: String, _ batch: ObjectiveBatch
  ) throws(PluginError) {
    guard let row = values.firstIndex(where: { !$0.isFinite }) else { return }
    throw bad("\(name)[\(row)]", "is \(values[row]); logp is \(batch.logp[row])")
  }

  private func bad(_ entry: String, _ what: String) -> PluginError {
    .badResult(
      component: component.id, library: component.library.location, entry: entry, what: what)
  }
}

/// A pair of rows of a group that an objective chose to train on.
public struct SelectedPair: Sendable, Equatable {
  public var preferred: Int
  public var other: Int
  public var weight: Double
}

extension Objective {
  /// The pairs of one group of k answers that the objective wants, or nil when it leaves the
  /// choice to the host.  `pairwise` is [k, k], `winProb` [k].
  public func select(
    pairwise: [Double], winProb: [Double]
  ) throws(PluginError) -> [SelectedPair]? {
    guard let select = api.table.select else { return nil }
    let k = winProb.count
    precondition(pairwise.count == k * k, "pairwise must be k × k")
    var arena = CallArena()
    let capacity = k * k
    let pairs = arena.fill(spar_pair(), count: capacity)
    let table = arena.copy(pairwise)
    let rates = arena.copy(winProb)
    var count: Int64 = 0
    try check(component, "select") {
      select(instance.pointer, table, rates, Int64(k), pairs, Int64(capacity), &count)
    }
    guard 0...Int64(capacity) ~= count else { throw bad("count", "is \(count) of \(capacity)") }
    var selected: [SelectedPair] = []
    for (index, pair) in array(pairs, Int(count)).enumerated() {
      guard 0..<Int64(k) ~= pair.i, 0..<Int64(k) ~= pair.j, pair.i != pair.j, pair.weight.isFinite
      else { throw bad("pair \(index)", "is (\(pair.i), \(pair.j)) with weight \(pair.weight)") }
      selected.append(
        SelectedPair(preferred: Int(pair.i), other: Int(pair.j), weight: pair.weight))
    }
    return selected
  }
}

/// A copy of `count` values; none when the pointer is NULL.
func array<T>(_ start: UnsafePointer<T>?, _ count: Int) -> [T] {
  Array(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
}

func array<T>(_ start: UnsafeMutablePointer<T>?, _ count: Int) -> [T] {
  array(UnsafePointer(start), count)
}
