import Foundation
import SparDiagnostics
import SparEvaluation
import SparPipeline
import SparPreference
import SparStore
import SparTraining

/// Reads the folder of a run as far as it has come.
///
/// A file that is not there yet is left out; one that is there and damaged is named in
/// `RunResult.problems`, and the rest is read all the same.
struct RunReading {
  private var result: RunResult
  private let directory: RunDirectory

  static func read(_ path: String) -> RunResult {
    var reading = RunReading(path)
    reading.readRecord()
    reading.readBase()
    reading.readRanker()
    reading.readIterations()
    reading.readSummary()
    return reading.result
  }

  private init(_ path: String) {
    directory = RunDirectory(path)
    result = RunResult(path: directory.root)
  }

  /// Nil where there is no such file; what `body` throws becomes a problem.
  private mutating func reading<Value>(_ path: String, _ body: () throws -> Value) -> Value? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      return try body()
    } catch let error as StoreError {
      result.problems.append("\(error)")
    } catch let error as RunError {
      result.problems.append("\(error)")
    } catch let error as TrainingError {
      result.problems.append("\(error)")
    } catch {
      result.problems.append("\(path): \(ReportError.reason(error))")
    }
    return nil
  }

  private mutating func readRecord() {
    let path = directory.record
    result.record = reading(path) { try RunRecord.read(path) }
  }

  private mutating func readBase() {
    let folder = directory.base
    result.baseStages = stages(folder)
    let path = folder.heldout
    guard let (table, attributes) = reading(path, { try CandidatesFile.read(path) }) else { return }
    result.base = table.rows.map(RunResult.Answered.init)
    result.model = attributes.text("model")
    result.modelDigest = attributes.text("model_digest")
  }

  private mutating func readRanker() {
    let folder = directory.ranker
    result.rankerStages = stages(folder)
    result.rankerAccuracy = reading(folder.accuracy) {
      try RankerAccuracyReport.read(folder.accuracy)
    }
  }

  private mutating func readIterations() {
    var t = 1
    while FileManager.default.fileExists(atPath: directory.iteration(t).path) {
      let folder = directory.iteration(t)
      var iteration = RunResult.Iteration(number: t)
      let log = folder.training + "/metrics.jsonl"
      iteration.log = reading(log) { try TrainingLogEntry.read(log) } ?? []
      let evaluation = folder.evaluation
      iteration.evaluation = reading(evaluation) {
        try WinRateReport(json: Data(contentsOf: URL(fileURLWithPath: evaluation)))
      }
      iteration.stages = stages(folder)
      for ranker in StageLedger.judges(iteration.stages) {
        let path = folder.evaluation(by: ranker)
        guard
          let report = reading(
            path, { try WinRateReport(json: Data(contentsOf: URL(fileURLWithPath: path))) })
        else { continue }
        iteration.checks.append(RunResult.Check(ranker: ranker, report: report))
      }
      let heldout = folder.heldout
      iteration.heldout =
        reading(heldout) { try CandidatesFile.read(heldout).table.rows }?
        .map(RunResult.Answered.init) ?? []
      let preferences = folder.preferences
      if let table = reading(preferences, { try RankedTable.read(preferences) }) {
        iteration.ranking = .init(table)
      }
      result.iterations.append(iteration)
      t += 1
    }
  }

  private mutating func stages(
    _ folder: RunDirectory.Folder
  ) -> [String: StageLedger.Record] {
    reading(folder.ledger) { try StageLedger(path: folder.ledger) }?.all ?? [:]
  }

  /// Only over iterations that are evaluated without a gap before them.
  private mutating func readSummary() {
    let evaluated = result.iterations.prefix { $0.evaluation != nil }
    guard let last = evaluated.last, let evaluation = last.evaluation else { return }
    let objective = result.setting("objective.name") ?? ""
    let folder = directory
    result.summary = reading(folder.root) {
      try RunReport(
        directory: folder, objective: objective, ranker: evaluation.ranker,
        iterations: last.number, examples: 0, diagnoses: false)
    }
  }
}

extension RunResult.Answered {
  init(_ group: CandidateGroup) {
    let count = Double(max(group.answers.count, 1))
    id = group.promptID
    messages = group.messages
    answers = group.answers.map(\.text)
    meanTokens = group.answers.reduce(0) { $0 + Double($1.contentIDs.count) } / count
    repetition = group.answers.reduce(0) { $0 + Repetition.rate($1.contentIDs) } / count
  }
}
