import Foundation
import SparHost
import SparStore

/// Ranks many prompts in batches, each batch journaled, so that a killed run goes on where it was.
public struct RankingRun {
  /// What one query is called in errors, and the query.
  public struct Item {
    public var name: String
    public var query: RankQuery

    public init(name: String, query: RankQuery) {
      self.name = name
      self.query = query
    }
  }

  /// Finished work; `journal` is removed by the caller once its own file is in place.
  public struct Result {
    public var tables: [WinTable]
    /// The numbers that the ranker itself gave, K×K row-major each.
    public var native: [AnswerTable]
    /// Prompts that an earlier run had left.
    public var resumed: Int
    public var journal: Journal
  }

  public var ranker: AnswerRanker
  public var rule: ProbabilityRule
  /// Prompts in one call of the ranker.
  public var batchSize: Int
  /// The stage's one name, for progress and errors.
  public var stage: String

  public init(ranker: AnswerRanker, rule: ProbabilityRule, batchSize: Int, stage: String) {
    precondition(batchSize > 0, "a batch holds at least one prompt")
    self.ranker = ranker
    self.rule = rule
    self.batchSize = batchSize
    self.stage = stage
  }

  /// - Parameters:
  ///   - inputs: digests of the files that the items come from.
  ///   - journal: where the journal is kept.
  /// - Throws: `RankingError`, `JournalError`, and what the ranker throws.
  public func tables(
    _ items: [Item], inputs: [String], journal path: String, progress: ProgressHandler,
    cancelled: () -> Bool
  ) throws -> Result {
    let journal = try Journal(path: path, key: key(inputs))
    var native = [AnswerTable?](repeating: nil, count: items.count)
    for line in journal.resumed { restore(line, items, &native) }
    let resumed = native.count { $0 != nil }
    var done = resumed
    let start = ContinuousClock.now
    func report() {
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let rate = Double(done - resumed) / max(seconds, 1e-9)
      progress(
        Progress(
          stage: stage, done: Double(done), total: Double(items.count), unit: "prompts",
          detail: done == resumed ? "" : String(format: "%.2f prompts/s", rate)))
    }
    report()
    let waiting = items.indices.filter { native[$0] == nil }
    let batchSize = ranker.isCostly ? 1 : batchSize
    for first in stride(from: 0, to: waiting.count, by: batchSize) {
      if cancelled() {
        throw RankingError.cancelled(
          stage: stage, done: done, of: items.count, journal: journal.path)
      }
      let rows = Array(waiting[first..<min(first + batchSize, waiting.count)])
      let results: [AnswerTable]
      do {
        results = try ranker.compare(rows.map { items[$0].query })
      } catch  where cancelled() {
        // Rankers poll the host and give up in the middle of a batch.
        throw RankingError.cancelled(
          stage: stage, done: done, of: items.count, journal: journal.path)
      }
      guard results.count == rows.count else {
        throw RankingError.results(
          ranker: ranker.identity.id, found: results.count, queries: rows.count)
      }
      for (row, values) in zip(rows, results) {
        _ = try table(values, items[row])  // nothing that cannot be used enters the journal
        native[row] = values
      }
      try journal.append(JSONEncoder().encode(RankingJournalLine(rows, results)))
      done += rows.count
      report()
    }
    var tables: [WinTable] = []
    var kept: [AnswerTable] = []
    for (item, values) in zip(items, native) {
      guard let values else { preconditionFailure("every item was ranked or restored") }
      tables.append(try table(values, item))
      kept.append(values)
    }
    return Result(tables: tables, native: kept, resumed: resumed, journal: journal)
  }

  private func table(_ native: AnswerTable, _ item: Item) throws(RankingError) -> WinTable {
    do throws(WinTableError) {
      return try native.wins(
        k: item.query.responses.count, rule: rule, givesRawScores: ranker.givesRawScores)
    } catch {
      throw .table(ranker: ranker.identity.id, prompt: item.name, error)
    }
  }

  /// Takes over a journal line if it is whole and fits; its prompts are ranked again if not.
  private func restore(_ line: Data, _ items: [Item], _ native: inout [AnswerTable?]) {
    let entry: RankingJournalLine
    do {
      entry = try JSONDecoder().decode(RankingJournalLine.self, from: line)
    } catch {
      return
    }
    for (place, row) in entry.rows.enumerated() where items.indices.contains(row) {
      native[row] = entry.table(place, k: items[row].query.responses.count)
    }
  }

  /// What the ranker's numbers depend on.  Rule, margins and batch size are not part of it: they
  /// change what is made of the numbers, not the numbers.
  private func key(_ inputs: [String]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var digest = SHA256()
    digest.update([UInt8](try encoder.encode(ranker.identity)))
    digest.update([UInt8]("\(stage) \(ranker.givesRawScores) \(inputs)".utf8))
    return digest.hexDigest()
  }
}

/// Why a ranking could not be finished.
public enum RankingError: Error, Equatable, Sendable, CustomStringConvertible {
  case noPrompts(path: String)
  case tooFewAnswers(path: String, k: Int)
  case noPolicy
  /// A prompt is token ids, and there is no tokenizer to read them with.
  case idPrompt(path: String, item: String, reason: String)
  case results(ranker: String, found: Int, queries: Int)
  case table(ranker: String, prompt: String, WinTableError)
  case cancelled(stage: String, done: Int, of: Int, journal: String)

  public var description: String {
    switch self {
    case .noPrompts(let path):
      "\(path) holds no prompts: there is nothing to rank"
    case .tooFewAnswers(let path, let k):
      "\(path) holds \(k) answer(s) for each prompt, a preference needs two; "
        + "generate with --pairs 2 or more"
    case .noPolicy:
      "the answers do not say which model gave them, so its template cannot be used; "
        + "rank with --ranker_input raw"
    case .idPrompt(let path, let item, let reason):
      "\(path): the prompt of \(item) is token ids, rankers read texts, and \(reason); "
        + "generate from prompt or messages"
    case .results(let ranker, let found, let queries):
      "ranker \(ranker) answered \(found) of \(queries) queries; run `spar plugin check` on it"
    case .table(let ranker, let prompt, let error):
      "ranker \(ranker), prompt \(prompt): \(error)"
    case .cancelled(let stage, let done, let total, let journal):
      "\(stage) stopped after \(done) of \(total) prompts; they are kept in \(journal): "
        + "run the same command again to go on"
    }
  }
}
