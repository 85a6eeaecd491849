import Glibc
import SparHost

/// Laws of comparison, and what a ranker claims of itself.
let rankerTests = [
  ConformanceTest(
    "ranker.probabilities", .ranker,
    "P lies in 0...1 with 0.5 on its diagonal; raw is finite with 0 on its own.",
    cure: "fill all k*k entries of pairwise (or of raw, with SPAR_RANK_NATIVE_RAW)"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    _ = try ranker.rank([.usual], "ranking five answers")
    return nil
  },
  ConformanceTest(
    "ranker.complement-claim", .ranker,
    "A ranker that claims SPAR_RANK_COMPLEMENT has P(i, j) + P(j, i) = 1.",
    cure: "average both orders of a pair, or drop the flag"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    guard ranker.flags.contains(.complement) else { throw NotApplicable("not claimed") }
    for trial in [RankTrial.usual, .many(7)] {
      for answer in try ranker.rank([trial], "ranking \(trial.k) answers") {
        let (k, p) = (answer.k, answer.probabilities)
        for i in 0..<k {
          for j in 0..<i where abs(p[i * k + j] + p[j * k + i] - 1) > 1e-6 {
            throw Violation(
              "P[\(i)][\(j)] + P[\(j)][\(i)] is \(p[i * k + j] + p[j * k + i]), claimed is 1")
          }
        }
      }
    }
    return nil
  },
  ConformanceTest(
    "ranker.scalar-claim", .ranker,
    "A ranker that claims SPAR_RANK_SCALAR has P rise with the difference of scores, and with "
      + "nothing else.",
    cure: "compute P from score[i] - score[j], or drop the flag"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    guard ranker.flags.contains(.scalar) else { throw NotApplicable("not claimed") }
    for trial in [RankTrial.usual, .many(7)] {
      for answer in try ranker.rank([trial], "ranking \(trial.k) answers") {
        try checkScalar(answer)
      }
    }
    return nil
  },
  ConformanceTest(
    "ranker.order-of-answers", .ranker,
    "Answers in another order, or among other queries, win as before.",
    cure: "compare answers by what they say, never by where they stand; keep queries apart"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    let trial = RankTrial.usual
    var turned = trial
    turned.answers.reverse()
    let plain = try ranker.rank([trial], "ranking five answers")[0]
    let other = try ranker.rank([turned], "ranking them in reverse order")[0]
    let batch = try ranker.rank([.many(3), trial, .many(2)], "ranking three queries at once")[1]
    // Models sum in an order that depends on the batch.
    let slack = ranker.usesModel ? 1e-3 : 1e-9
    let k = trial.k
    for i in 0..<k {
      for j in 0..<k {
        let p = plain.probabilities[i * k + j]
        let q = other.probabilities[(k - 1 - i) * k + k - 1 - j]
        let r = batch.probabilities[i * k + j]
        try require(
          abs(p - q) <= slack, "P of answers \(i) and \(j) is \(p), in reverse order \(q)")
        try require(
          abs(p - r) <= slack, "P of answers \(i) and \(j) is \(p), among other queries \(r)")
      }
    }
    return nil
  },
  ConformanceTest(
    "ranker.determinism", .ranker, "The same query gives the same bits again.",
    cure: "draw no random numbers; keep no state between calls"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    let first = try ranker.rank([.usual], "ranking")[0]
    _ = try ranker.rank([.many(3)], "ranking something else")
    let again = try ranker.rank([.usual], "ranking again")[0]
    try require(first.bits == again.bits, "the second call gives other bits")
    return nil
  },
  ConformanceTest(
    "ranker.sizes", .ranker, "No query, no answer, one answer and 64 answers are ranked.",
    cure: "allocate by k; do nothing for k = 0"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    _ = try ranker.rank([], "ranking no query")
    for k in [0, 1, 64] { _ = try ranker.rank([.many(k)], "ranking \(k) answers") }
    return nil
  },
  ConformanceTest(
    "ranker.odd-texts", .ranker,
    "Empty answers, control characters and bytes that are no UTF-8 are ranked.",
    cure: "texts are counted bytes (spar_text): not NUL-terminated, repair what is no UTF-8"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    let odd: [[UInt8]] = [
      [], Array("fine".utf8), [0xFF, 0xFE, 0x80], [0xF0, 0x9F], [0x41, 0x00, 0x42],
      Array("\u{202E}\u{0007}\r\n\t".utf8), [0xED, 0xA0, 0x80],
    ]
    _ = try ranker.rank([RankTrial("", bytes: odd)], "ranking texts that are no UTF-8")
    _ = try ranker.rank([RankTrial("x", bytes: [[], []])], "ranking two empty answers")
    return nil
  },
  ConformanceTest(
    "ranker.long-text", .ranker, "An answer of 1 MB is ranked.",
    cure: "allocate by length, recurse never; work in linear time"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    if ranker.usesModel { throw NotApplicable("scores with a language model, which has a window") }
    let long = String(repeating: "word ", count: 1 << 18)
    _ = try ranker.rank([RankTrial("x", [long, "short"])], "ranking 1 MB of text")
    return nil
  },
  ConformanceTest(
    "ranker.concurrent-calls", .ranker,
    "A ranker that claims SPAR_RANK_REENTRANT gives eight threads what it gives one.",
    cure: "guard what rank() changes, or drop the flag"
  ) { subject in
    let ranker = RankerUnderTest(try subject.open().make())
    guard ranker.flags.contains(.reentrant) else { throw NotApplicable("not claimed") }
    let trials = (0..<8).map { RankTrial.many(3 + $0) }
    let alone = trials.map { ranker.call([$0]).answers[0].bits }
    subject.doing("ranking on 8 threads at once")
    let wrong = onThreads(8) { thread in
      for _ in 0..<50 where ranker.call([trials[thread]]).answers[0].bits != alone[thread] {
        return "thread \(thread) got other bits than when alone"
      }
      return nil
    }
    if let wrong { throw Violation(wrong) }
    return "8 threads, 50 calls each"
  },
]

/// P as a function of the difference of scores: it rises, and equal differences win equally often.
private func checkScalar(_ answer: RankAnswer) throws {
  let k = answer.k
  var points: [(difference: Double, p: Double, i: Int, j: Int)] = []
  for i in 0..<k {
    for j in 0..<k {
      points.append(
        (answer.score[i] - answer.score[j], answer.probabilities[i * k + j], i, j))
    }
  }
  points.sort { $0.difference < $1.difference }
  for (a, b) in zip(points, points.dropFirst()) {
    let isSame = abs(a.difference - b.difference) <= 1e-9 * max(1, abs(a.difference))
    let holds = isSame ? abs(a.p - b.p) <= 1e-6 : a.p <= b.p + 1e-6
    try require(
      holds,
      "P is no function of score differences: answers \(a.i), \(a.j) differ by \(a.difference) "
        + "with P \(a.p), answers \(b.i), \(b.j) by \(b.difference) with P \(b.p)")
  }
}
