import CSparPlugin
import Glibc
import SparHost

/// One prompt and K answers, as bytes: answers need not be valid UTF-8.
struct RankTrial {
  var prompt: String
  var answers: [[UInt8]]

  init(_ prompt: String, _ answers: [String]) {
    self.prompt = prompt
    self.answers = answers.map { Array($0.utf8) }
  }

  init(_ prompt: String, bytes: [[UInt8]]) {
    self.prompt = prompt
    answers = bytes
  }

  var k: Int { answers.count }

  /// Answers that differ in length, words and script.
  static let usual = RankTrial(
    "Name a fruit.",
    [
      "An apple.", "Apples, pears and plums are fruits; so are tomatoes.", "No.",
      "Über Geschmack lässt sich streiten: 苹果!", "apple apple apple",
    ])

  static func many(_ k: Int) -> RankTrial {
    RankTrial(
      "Count.",
      (0..<k).map { i in "answer \(i) " + String(repeating: "x", count: (i * 37) % 11) })
  }
}

/// The tables a ranker wrote; NaN where it wrote nothing.
struct RankAnswer: Equatable {
  var k: Int
  var pairwise: [Double]
  var raw: [Double]
  var score: [Double]

  /// P, derived from `raw` where the ranker gives only that.
  var probabilities: [Double] {
    guard pairwise.allSatisfy(\.isNaN) else { return pairwise }
    return raw.map { $0 >= 0 ? 1 / (1 + exp(-$0)) : exp($0) / (1 + exp($0)) }
  }

  var bits: [UInt64] { (pairwise + raw + score).map(\.bitPattern) }
}

/// A created ranker and its adopted table.
final class RankerUnderTest: Sendable {
  let instance: LiveInstance
  let flags: RankerFlags
  private let rankFunction: RankFunction?

  typealias RankFunction =
    @Sendable @convention(c) (
      UnsafeMutableRawPointer?, UnsafeMutablePointer<spar_rank_batch>?
    ) -> spar_status

  init(_ instance: LiveInstance) {
    self.instance = instance
    let table =
      instance.owner.component.raw.api.map { adopt($0, as: spar_ranker_api.self) }
      ?? spar_ranker_api()
    flags = RankerFlags(rawValue: table.flags)
    rankFunction = unsafeBitCast(table.rank, to: RankFunction?.self)
  }

  /// Whether it runs a model of the host, so that work costs seconds.
  var usesModel: Bool {
    let asked = instance.owner.host.askedFor
    return asked.contains(SPAR_LANGUAGE_MODEL_EXT) || asked.contains(SPAR_TEXT_MODEL_EXT)
  }

  func call(_ trials: [RankTrial]) -> (outcome: Outcome, answers: [RankAnswer]) {
    let arena = GuardedArena()
    let queries = trials.map { trial -> spar_rank_query in
      var c = spar_rank_query()
      let turn = spar_message(
        role: arena.counted(Array("user".utf8)), content: arena.counted(Array(trial.prompt.utf8)))
      c.messages = UnsafePointer(arena.copy([turn]))
      c.n_messages = 1
      c.responses = UnsafePointer(arena.copy(trial.answers.map { arena.counted($0) }))
      c.k = Int64(trial.k)
      c.pairwise = arena.fill(.nan, count: trial.k * trial.k)
      c.raw = arena.fill(.nan, count: trial.k * trial.k)
      c.score = arena.fill(.nan, count: trial.k)
      return c
    }
    var batch = spar_rank_batch()
    batch.queries = arena.copy(queries)
    batch.n = Int64(queries.count)
    batch.rows = UnsafePointer(arena.copy(queries.map { _ in spar_text() }))
    batch.failed = UnsafePointer(
      arena.copy(
        trials.map { arena.fill(0, count: $0.k * $0.k) as UnsafeMutablePointer<UInt8>? }))
    batch.truncated = UnsafePointer(
      arena.copy(trials.map { arena.fill(0, count: $0.k) as UnsafeMutablePointer<UInt8>? }))
    let lent = arena.structure(batch, instance.owner.age)
    let outcome = instance.owner.host.call {
      rankFunction?(instance.pointer, lent) ?? spar_status(SPAR_E_INTERNAL)
    }
    let answers = queries.map { query in
      let k = Int(query.k)
      func values(_ start: UnsafeMutablePointer<Double>?, _ n: Int) -> [Double] {
        Array(UnsafeBufferPointer(start: start, count: n))
      }
      return RankAnswer(
        k: k, pairwise: values(query.pairwise, k * k), raw: values(query.raw, k * k),
        score: values(query.score, k))
    }
    return (outcome, answers)
  }

  /// The answers, with the laws that hold for every ranker checked.
  func rank(_ trials: [RankTrial], _ doing: String) throws -> [RankAnswer] {
    instance.owner.subject.doing(doing)
    let (outcome, answers) = call(trials)
    try outcome.requireOK(doing)
    for (q, answer) in answers.enumerated() {
      try checkLaws(answer, "query \(q) while \(doing)")
    }
    return answers
  }

  func checkLaws(_ answer: RankAnswer, _ place: String) throws {
    let k = answer.k
    let p = answer.probabilities
    for i in 0..<k {
      for j in 0..<k {
        let value = p[i * k + j]
        try require(0...1 ~= value, "P[\(i)][\(j)] is \(value) in \(place)")
        try require(i != j || value == 0.5, "P[\(i)][\(i)] is \(value), must be 0.5, in \(place)")
        let raw = answer.raw[i * k + j]
        let hasRaw = flags.contains(.nativeRaw) || !answer.raw.allSatisfy(\.isNaN)
        try require(!hasRaw || raw.isFinite, "raw[\(i)][\(j)] is \(raw) in \(place)")
        try require(
          !hasRaw || i != j || raw == 0, "raw[\(i)][\(i)] is \(raw), must be 0, in \(place)")
      }
    }
    let hasScore = flags.contains(.scalar) || !answer.score.allSatisfy(\.isNaN)
    if hasScore, let row = answer.score.firstIndex(where: { !$0.isFinite }) {
      throw Violation("score[\(row)] is \(answer.score[row]) in \(place)")
    }
  }
}
