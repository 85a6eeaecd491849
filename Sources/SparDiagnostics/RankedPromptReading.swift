import Foundation
import SparStore

/// A preference table for the diagnostics, and what its file says about its making.
public struct RankedTable: Sendable {
  public var path: String
  public var prompts: [RankedPrompt]
  /// The rankers of a mix, each with the tables of its own scores; empty for a single ranker.
  public var components: [Component] = []
  public var attributes: [String: AttributeValue]
  /// Prompts by what became of them: "kept", "tie", …; reasons that occur only.
  public var statuses: [String: Int]
  /// Why lengths and texts are missing, where they are.
  public var withoutCandidates: String?

  /// One ranker of a mix: P = σ(½ (M − Mᵀ)), S the row means of M − Mᵀ.
  public struct Component: Sendable {
    public var name: String
    public var prompts: [RankedPrompt]
  }

  /// Reads preferences.h5, and the candidates that it names (or `candidates`) where they are at hand
  /// and the same as were ranked.
  public static func read(
    _ path: String, candidates: String? = nil
  ) throws -> RankedTable {
    let (table, attributes) = try PreferencesFile.read(path)
    var missing: String?
    var answers: [[RankedAnswer]]?
    do {
      answers = try Self.answers(
        candidates ?? attributes.string("candidates"), besides: path, attributes)
    } catch let absence as Absence where candidates == nil {
      missing = absence.reason
    }
    if let found = answers, found.count != table.count {
      answers = nil
      missing = "the candidates have \(found.count) prompts, the preferences \(table.count)"
    }
    let cells = table.K * table.K
    let prompts = (0..<table.count).map { n in
      RankedPrompt(
        id: table.promptID[n], k: table.K,
        probability: Array(table.winProbability[(n * cells)..<((n + 1) * cells)]),
        raw: Array(table.raw[(n * cells)..<((n + 1) * cells)]),
        scores: Array(table.score[(n * table.K)..<((n + 1) * table.K)]),
        logOdds: Array(table.logOdds[(n * cells)..<((n + 1) * cells)]),
        failed: table.failedPairs(of: n), answers: answers?[n])
    }
    let statuses = Dictionary(table.status.map { ("\($0)", 1) }, uniquingKeysWith: +)
    return RankedTable(
      path: path, prompts: prompts, components: components(of: table), attributes: attributes,
      statuses: statuses,
      withoutCandidates: missing)
  }

  private static func components(of table: PreferenceTable) -> [Component] {
    let (k, count) = (table.K, table.components.count)
    return table.components.enumerated().map { place, component in
      Component(
        name: component.name,
        prompts: (0..<table.count).map { n in
          let start = (n * count + place) * k * k
          let raw = Array(table.componentRaw[start..<(start + k * k)])
          let odds = (0..<(k * k)).map { (raw[$0] - raw[$0 % k * k + $0 / k]) / 2 }
          return RankedPrompt(
            id: table.promptID[n], k: k, probability: odds.map { 1 / (1 + exp(-$0)) }, raw: raw,
            scores: (0..<k).map { i in
              odds[(i * k)..<(i * k + k)].reduce(0, +) * 2 / Double(k)
            })
        })
    }
  }

  /// Why the candidates are not used.
  private struct Absence: Error, CustomStringConvertible {
    var reason: String
    var description: String { reason }
  }

  private static func answers(
    _ named: String?, besides path: String, _ attributes: [String: AttributeValue]
  ) throws -> [[RankedAnswer]] {
    guard let named else { throw Absence(reason: "the file names no candidates") }
    let neighbour = ((path as NSString).deletingLastPathComponent as NSString)
      .appendingPathComponent((named as NSString).lastPathComponent)
    guard let file = [named, neighbour].first(where: FileManager.default.fileExists) else {
      throw Absence(reason: "\(named) is not there; --candidates names the file")
    }
    if let digest = attributes.string("candidates_digest"), try fileDigest(file) != digest {
      throw Absence(reason: "\(file) is not the file that was ranked; --candidates names it")
    }
    return try CandidatesFile.read(file).table.rows.map { group in
      group.answers.map { answer in
        let ended = answer.finish == .stop
        return RankedAnswer(
          text: answer.text, tokens: answer.ids.count - (ended ? 1 : 0), isEnded: ended)
      }
    }
  }
}

extension [String: AttributeValue] {
  func string(_ name: String) -> String? {
    guard case .string(let text)? = self[name] else { return nil }
    return text
  }
}
