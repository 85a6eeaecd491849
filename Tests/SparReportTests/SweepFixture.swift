import Foundation
import SparEvaluation
import SparPipeline
import SparPreference
import SparReport
import SparStore

/// A sweep of two objectives and two β with two seeds each, as the programs would leave it, in a
/// folder of its own.
struct SweepFixture {
  let root: String
  static let prompts = 8
  static let objectives = ["sppo", "gpo"]
  static let betas = ["0.001", "0.01"]
  static let seeds = ["1", "2"]
  /// Text that must not become markup.
  static let hostile = "<script>alert('x')</script> & | \"q\" *b*"

  init() throws {
    root = NSTemporaryDirectory() + "spar-report-\(UUID().uuidString)"
    try Self.folder(root)
  }

  func remove() throws { try FileManager.default.removeItem(atPath: root) }

  static func folder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  static func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// - Parameter statuses: of points by id, where not done; such points have no folder.
  func writeSweep(statuses: [String: SweepRecord.Status] = [:]) throws {
    var points: [SweepRecord.Point] = []
    for objective in Self.objectives {
      for beta in Self.betas {
        for seed in Self.seeds {
          let id = "p0\(points.count + 1)"
          let status = statuses[id] ?? .done
          points.append(
            .init(
              id: id, arm: "objective.name=\(objective) objective.beta=\(beta)",
              values: ["objective.name": objective, "objective.beta": beta, "seed": seed],
              folder: "points/\(id)", status: status,
              error: status == .failed ? "the loss became not a number" : nil, seconds: 61))
          if status == .done { try writeRun(root + "/points/" + id, objective, beta, seed) }
        }
      }
    }
    let record = SweepRecord(
      name: "objective by beta", recipe: "a recipe.yaml",
      command: ["spar", "sweep", "a recipe.yaml"],
      axes: [
        .init(name: "objective.name", values: Self.objectives, replicate: false),
        .init(name: "objective.beta", values: Self.betas, replicate: false),
        .init(name: "seed", values: Self.seeds, replicate: true),
      ], baseline: points[0].arm, settings: [:], points: points, stages: [])
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try Self.write(
      String(decoding: try encoder.encode(record), as: UTF8.self), to: root + "/sweep.json")
  }

  /// One run of one iteration, with gpo ahead of sppo by a prompt in four.
  func writeRun(
    _ path: String, _ objective: String, _ beta: String, _ seed: String, iterations: Int = 1,
    evaluated: Int = 1
  ) throws {
    let run = RunDirectory(path)
    try Self.folder(run.base.path)
    let settings = [
      "objective.name": objective, "objective.beta": beta, "seed": seed, "model": "tiny",
      "iterations": "\(iterations)", "output_dir": path,
    ]
    let values = settings.sorted { $0.key < $1.key }.map {
      "\"\($0.key)\":{\"value\":\"\($0.value)\",\"origin\":\"--set\"}"
    }
    try Self.write(
      """
      {"schema":1,"spar":"0.1.0","settings":{\(values.joined(separator: ","))},
      "plugins":[{"kind":"objective","id":"\(objective)","version":"1.0","sha256":"abc123"}],
      "machine":{"processor":"Test","cores":2,"simd":["avx2"],"memory_bytes":8000000000,
      "system":"none","threads":1}}
      """, to: run.record)
    try writeAnswers(to: run.base.heldout, length: 3)
    for t in 1...max(evaluated, 1) where evaluated > 0 {
      let folder = run.iteration(t)
      try Self.folder(folder.training)
      try writeAnswers(to: folder.heldout, length: 4)
      try writePreferences(to: folder.preferences, objective)
      let losses = (1...4).map { step in
        "{\"global_step\":\(step),\"loss\":\(2.0 / Double(step)),\"rewards/margins\":0.\(step)}\n"
      }
      try Self.write(losses.joined(), to: folder.training + "/metrics.jsonl")
      var ledger = try StageLedger(path: folder.ledger)
      try ledger.begin("train", key: StageKey(["seed": seed]))
      try ledger.finish(
        "train", output: folder.training + "/metrics.jsonl", digest: "d1",
        figures: ["seconds": 12, "first_loss": 2, "last_loss": 0.5])
      try Self.write(
        String(decoding: try evaluation(objective, seed).json(), as: UTF8.self),
        to: folder.evaluation)
    }
  }

  private func writeAnswers(to path: String, length: Int) throws {
    let rows = (0..<Self.prompts).map { prompt in
      CandidateGroup(
        promptIndex: prompt, promptID: "q\(prompt)",
        messages: [.init(role: "user", content: "Question \(prompt) \(Self.hostile)")],
        promptIDs: [1],
        answers: [
          .init(
            ids: (0..<length).map { Int32($0) }, logps: [Float](repeating: -1, count: length),
            finish: .length, text: "answer \(Self.hostile)")
        ])
    }
    try CandidatesFile.write(
      to: path, CandidateTable(K: 1, rows: rows),
      attributes: ["model": "tiny.gguf", "model_digest": "feed"])
  }

  /// One prompt with a circle of three and one without; gpo's ranker turns the latter round.
  private func writePreferences(to path: String, _ objective: String) throws {
    let circle = [0.5, 0.8, 0.3, 0.2, 0.5, 0.9, 0.7, 0.1, 0.5]
    let ladder = [0.5, 0.8, 0.9, 0.2, 0.5, 0.7, 0.1, 0.3, 0.5]
    let probability = circle + (objective == "gpo" ? ladder.map { 1 - $0 } : ladder)
    try PreferencesFile.write(
      to: path,
      PreferenceTable(
        K: 3, promptIndex: [0, 1], promptID: ["round", "steep"],
        raw: probability.map { $0 - 0.5 }, winProbability: probability,
        logOdds: probability.map { $0 - 0.5 }, rowMean: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
        meanScore: [0, 0, 0, 0, 0, 0], score: [3, 2, 1, 3, 2, 1], chosen: [0, 0],
        rejected: [2, 2], status: [.kept, .kept]),
      attributes: ["ranker": .string("test <r>"), "candidates_digest": .string("feed")])
  }

  private func evaluation(_ objective: String, _ seed: String) throws -> WinRateReport {
    let lead = objective == "gpo" ? 6 : 4
    let facts = AnswerFacts(
      candidates: "c", model: "tiny", modelDigest: "feed", answers: Self.prompts, meanTokens: 4,
      repetition: 0, ended: 0, empty: 0)
    return WinRateReport(
      outcomes: try (0..<Self.prompts).map { prompt in
        // Another seed turns one prompt round.
        let wins = seed == "2" && prompt == 0 ? false : prompt < lead
        let p = wins ? 0.9 : 0.2
        return PromptOutcome(
          prompt: "q\(prompt)", table: try WinTable(probability: [0.5, p, 1 - p, 0.5], k: 2),
          policy: [.init(text: "a", tokens: 4)], base: [.init(text: "b", tokens: 4)])
      }, policy: facts, base: facts, ranker: "test 1", rule: .meanOfOrders,
      bootstrap: Bootstrap(resamples: 500, seed: 3))
  }
}
