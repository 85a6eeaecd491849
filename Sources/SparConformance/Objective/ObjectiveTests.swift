import Glibc
import SparHost

/// Laws of a loss: its derivatives, its independence of order, its purity.
let objectiveTests = [
  ConformanceTest(
    "objective.gradient-by-finite-differences", .objective,
    "dlogp (and dtok_logp) are the derivatives of sum(loss).",
    cure: "derive the loss by hand again; the total is the plain sum of loss, without any mean"
  ) { subject in
    let opened = try subject.open()
    var compared = 0
    for variant in opened.variants {
      let objective = ObjectiveUnderTest(try opened.make(overriding: variant))
      for item in 0..<4 {
        for labelling in RandomBatch.Labelling.allCases {
          let batch = RandomBatch(seed: subject.seed, item: item, labelling)
          compared += try checkGradient(objective, batch, variant, labelling)
        }
      }
    }
    try require(compared > 0, "no labelling of a batch was accepted: there is nothing to train on")
    return "\(compared) derivatives"
  },
  ConformanceTest(
    "objective.learns", .objective,
    "Some answer gets a loss and a derivative other than 0.",
    cure: "write loss and dlogp; the host zeroes both before the call"
  ) { subject in
    let objective = ObjectiveUnderTest(try subject.open().make())
    for labelling in RandomBatch.Labelling.allCases {
      let batch = RandomBatch(seed: subject.seed, item: 9, labelling)
      guard let result = try objective.result(batch, "evaluating \(labelling.rawValue)") else {
        continue
      }
      if result.loss.contains(where: { $0 != 0 }),
        result.dlogp.contains(where: { $0 != 0 })
          || result.dtokLogp?.contains(where: { $0 != 0 }) == true
      {
        return nil
      }
    }
    throw Violation("loss or derivatives are 0 for all labellings")
  },
  ConformanceTest(
    "objective.order-of-groups", .objective,
    "Groups in another order give the same losses in that order, and the same metrics.",
    cure: "let a group's loss depend on its own rows; take sizes of the step from step_*"
  ) { subject in
    let opened = try subject.open()
    let objective = ObjectiveUnderTest(try opened.make())
    for labelling in RandomBatch.Labelling.allCases {
      let batch = RandomBatch(seed: subject.seed, item: 20, labelling)
      var turned = batch
      turned.groups.reverse()
      guard let plain = try objective.result(batch, "evaluating \(labelling.rawValue)"),
        let other = try objective.result(turned, "evaluating groups in reverse order")
      else { continue }
      try requireSame(byGroup(plain.loss, batch), byGroup(other.loss, turned).reversed(), "loss")
      try requireSame(
        byGroup(plain.dlogp, batch), byGroup(other.dlogp, turned).reversed(), "dlogp")
      try requireClose(plain.metricSum, other.metricSum, "metric_sum")
    }
    return nil
  },
  ConformanceTest(
    "objective.determinism", .objective,
    "The same batch gives the same bits, again and from another instance.",
    cure: "keep no state between calls, draw no random numbers, initialise all memory"
  ) { subject in
    let opened = try subject.open()
    let objective = ObjectiveUnderTest(try opened.make())
    let twin = ObjectiveUnderTest(try opened.make())
    for labelling in RandomBatch.Labelling.allCases {
      let batch = RandomBatch(seed: subject.seed, item: 30, labelling)
      let first = objective.evaluate(batch)
      _ = objective.evaluate(RandomBatch(seed: subject.seed, item: 31, .every))
      for (who, next) in [("the same", objective), ("another", twin)] {
        let again = next.evaluate(batch)
        try require(
          again.outcome.status == first.outcome.status && sameBits(again.result, first.result),
          "\(who) instance gives other bits for the same batch (\(labelling.rawValue) labelled)")
      }
    }
    return nil
  },
  ConformanceTest(
    "objective.concurrent-calls", .objective,
    "Eight threads that evaluate at once get what one thread gets.",
    cure: "evaluate is [any]: put what it changes on the stack, not into the instance or statics"
  ) { subject in
    let objective = ObjectiveUnderTest(try subject.open().make())
    let batches = (0..<8).map { item in
      RandomBatch(seed: subject.seed, item: 40 + item, item % 2 == 0 ? .bestAndWorst : .every)
    }
    let alone = batches.map { objective.evaluate($0).result }
    subject.doing("evaluating on 8 threads at once")
    let wrong = onThreads(8) { thread in
      for _ in 0..<50 where !sameBits(objective.evaluate(batches[thread]).result, alone[thread]) {
        return "thread \(thread) got other bits than when alone"
      }
      return nil
    }
    if let wrong { throw Violation(wrong) }
    return "8 threads, 50 calls each"
  },
]

/// Compares every derivative with differences of the loss; returns how many.
private func checkGradient(
  _ objective: ObjectiveUnderTest, _ batch: RandomBatch, _ variant: [String: String],
  _ labelling: RandomBatch.Labelling
) throws -> Int {
  let doing = "evaluating with \(labelling.rawValue) labelled\(with(variant))"
  guard let base = try objective.result(batch, doing) else { return 0 }
  func slope(_ step: Double, _ move: (inout RandomBatch) -> Double) throws -> Double {
    var moved = batch
    let distance = move(&moved)
    guard let result = try objective.result(moved, doing) else {
      throw Violation("\(doing): accepted once, refused after a small change of logp")
    }
    // Differences row by row: the large losses that do not change cancel exactly.
    let change = zip(result.loss, base.loss).reduce(0) { $0 + ($1.0 - $1.1) }
    return change / distance
  }
  let size = base.loss.reduce(1) { $0 + abs($1) }
  func compare(
    _ found: Double, _ what: String, _ step: Double, noise: Double,
    _ move: (Double) -> (inout RandomBatch) -> Double
  ) throws {
    let right = try slope(step, move(step))
    let left = try slope(-step, move(-step))
    let centre = (left + right) / 2
    let slack = noise * max(1, abs(centre), abs(found)) + 1e-13 * size / step
    // At a kink the derivative may be that of either side.
    let inside = min(left, right) - slack <= found && found <= max(left, right) + slack
    let isKink = abs(left - right) > 1e-2 * max(1, abs(centre))
    guard abs(found - centre) <= slack || (isKink && inside) else {
      throw Violation("\(what) is \(found), the loss rises by \(centre) per nat (\(doing))")
    }
  }
  for i in 0..<batch.n {
    let (g, row) = batch.place(i)
    try compare(base.dlogp[i], "dlogp[\(i)]", 1e-4, noise: 2e-5) { step in
      { moved in
        let before = moved.groups[g].logp[row]
        moved.groups[g].logp[row] += step
        return moved.groups[g].logp[row] - before
      }
    }
  }
  guard let tokens = base.dtokLogp else { return batch.n }
  for t in 0..<batch.tokens {
    let (g, row, token) = batch.tokenPlace(t)
    try compare(Double(tokens[t]), "dtok_logp[\(t)]", 2e-3, noise: 1e-3) { step in
      { moved in
        let before = moved.groups[g].tokLogp[row][token]
        moved.groups[g].tokLogp[row][token] += Float(step)
        return Double(moved.groups[g].tokLogp[row][token]) - Double(before)
      }
    }
  }
  return batch.n + batch.tokens
}

private func byGroup(_ values: [Double], _ batch: RandomBatch) -> [[Double]] {
  var rest = values[...]
  return batch.groups.map { group in
    defer { rest = rest.dropFirst(group.count) }
    return Array(rest.prefix(group.count))
  }
}

private func requireSame(
  _ a: [[Double]], _ b: some Sequence<[Double]>, _ name: String
) throws {
  for (g, (one, other)) in zip(a, b).enumerated() {
    try requireClose(one, other, "\(name) of group \(g)")
  }
}

/// Sums may be formed in another order, no more.
private func requireClose(_ a: [Double], _ b: [Double], _ name: String) throws {
  for (i, (x, y)) in zip(a, b).enumerated() where abs(x - y) > 1e-9 * max(1, abs(x)) {
    throw Violation("\(name), entry \(i), is \(x), in another order \(y)")
  }
}

func sameBits(_ a: ObjectiveResult, _ b: ObjectiveResult) -> Bool {
  func bits(_ r: ObjectiveResult) -> [UInt64] {
    (r.loss + r.dlogp + r.metricSum + r.metricWeight).map(\.bitPattern)
      + (r.dtokLogp ?? []).map { UInt64($0.bitPattern) }
  }
  return bits(a) == bits(b)
}
