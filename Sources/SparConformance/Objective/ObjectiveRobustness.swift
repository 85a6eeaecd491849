import CSparPlugin
import Glibc
import SparHost

/// What an objective must bear: far values, nothing, and nonsense.
let objectiveRobustnessTests = [
  ConformanceTest(
    "objective.extremes", .objective,
    "Losses and derivatives stay finite at log-probabilities of -10000 and sure wins.",
    cure: "write log σ(x) as min(x, 0) - log1p(exp(-|x|)), and clamp before exp"
  ) { subject in
    let opened = try subject.open()
    for variant in opened.variants {
      let objective = ObjectiveUnderTest(try opened.make(overriding: variant))
      for (own, ref) in [(-1e4, -1.0), (-1.0, -1e4), (-1e4, -1e4), (0, 0)] {
        for labelling in RandomBatch.Labelling.allCases {
          var batch = RandomBatch(seed: subject.seed, item: 50, labelling)
          for g in batch.groups.indices {
            batch.groups[g].logp = batch.groups[g].logp.indices.map { $0 % 2 == 0 ? own : ref }
            batch.groups[g].ref = batch.groups[g].ref.indices.map { $0 % 2 == 0 ? ref : own }
            // ±36.8 is where a probability in double is 0 or 1 but for one bit.
            batch.groups[g].score = batch.groups[g].score.map { $0 * 12 }
          }
          _ = try objective.result(
            batch,
            "evaluating log π = \(brief(own)), log π_ref = \(brief(ref)) with "
              + "\(labelling.rawValue) labelled\(with(variant))")
        }
      }
    }
    return nil
  },
  ConformanceTest(
    "objective.empty-batches", .objective,
    "Batches of no group, of empty groups and of single answers are no trouble.",
    cure: "loop over begin[g]..<begin[g + 1]; divide by no count that may be 0"
  ) { subject in
    let objective = ObjectiveUnderTest(try subject.open().make())
    for sizes in [[], [0], [0, 2, 0], [1], [1, 1]] {
      for labelling in RandomBatch.Labelling.allCases {
        let batch = RandomBatch(seed: subject.seed, item: 60, sizes: sizes, labelling)
        _ = try objective.result(
          batch, "evaluating groups of \(sizes) with \(labelling.rawValue) labelled")
      }
    }
    return nil
  },
  ConformanceTest(
    "objective.nan", .objective,
    "A NaN among the log-probabilities gives a NaN or an error with a text, and no crash.",
    cure: "use no value of the batch as an index and trap on none"
  ) { subject in
    let objective = ObjectiveUnderTest(try subject.open().make())
    var batch = RandomBatch(seed: subject.seed, item: 70, .bestAndWorst)
    for g in batch.groups.indices { batch.groups[g].logp[0] = .nan }
    subject.doing("evaluating a batch with NaN")
    let (outcome, _) = objective.evaluate(batch)
    try outcome.requireText("evaluating a batch with NaN")
    return nil
  },
  ConformanceTest(
    "objective.pairs-chosen", .objective,
    "select, where there is one, names pairs of the group with finite weights.",
    cure: "fill at most `capacity` pairs, set *count, give rows below k"
  ) { subject in
    let opened = try subject.open()
    let instance = try opened.make()
    let table = opened.component.raw.api.map { adopt($0, as: spar_objective_api.self) }
    guard let select = table?.select else {
      throw NotApplicable("offers no select: the host chooses the pairs")
    }
    for k in [1, 2, 5, 64] {
      let batch = RandomBatch(seed: subject.seed, item: 80 + k, sizes: [k], .none)
      guard let group = batch.groups.first else { continue }
      let arena = GuardedArena()
      let rates = (0..<k).map { group.mean(group.pairwise, $0) }
      let out = arena.fill(spar_pair(), count: k * k)
      let count = arena.fill(Int64(0), count: 1)
      let (p, w) = (arena.copy(group.pairwise), arena.copy(rates))
      subject.doing("select with k = \(k)")
      let outcome = opened.host.call {
        select(instance.pointer, p, w, Int64(k), out, Int64(k * k), count)
      }
      try outcome.requireOK("select with k = \(k)")
      try require(
        0...Int64(k * k) ~= count.pointee, "count is \(count.pointee), room was \(k * k)")
      for index in 0..<Int(count.pointee) {
        let pair = out[index]
        try require(
          0..<Int64(k) ~= pair.i && 0..<Int64(k) ~= pair.j && pair.i != pair.j
            && pair.weight.isFinite,
          "pair \(index) of k = \(k) is (\(pair.i), \(pair.j)) with weight \(pair.weight)")
      }
    }
    return nil
  },
]
