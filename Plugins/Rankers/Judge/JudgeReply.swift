import Foundation
import SparPluginKit

/// How a preference is read from what the judge says.
enum JudgeReading: String, CaseIterable {
  /// From the log-probabilities of the labels at the first token.
  case logprobs
  /// From the label that the reply names.
  case text
}

/// Why a reply gives no preference.
struct UnusableReply: Error, CustomStringConvertible {
  var description: String
}

/// Reads the log-odds of "the first answer is better" from a chat completion.
struct JudgeReply {
  var labels: [String]
  /// Probability that is put on a label that was only named.
  var certainty: Double

  /// Whether a reply can name the label: tokens are compared without white space around them, and
  /// texts word by word.
  func canFind(_ label: String, _ reading: JudgeReading) -> Bool {
    switch reading {
    case .logprobs: label == label.trimmingCharacters(in: .whitespacesAndNewlines)
    case .text: Self.words(label) == [label]
    }
  }

  private static func words(_ text: String) -> [String] {
    text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  /// - Parameter body: the JSON of `/chat/completions`.
  func logOdds(_ body: Data, _ reading: JudgeReading) throws(UnusableReply) -> Double {
    let reply: JSONValue
    do {
      reply = try JSONValue(parsing: String(decoding: body, as: UTF8.self))
    } catch {
      throw UnusableReply(description: "the reply is no JSON: \(error)")
    }
    guard let choice = reply["choices"]?.array?.first else {
      throw UnusableReply(description: "the reply has no choices")
    }
    switch reading {
    case .logprobs: return try labelLogOdds(choice)
    case .text: return try namedLogOdds(choice["message"]?["content"]?.string)
    }
  }

  /// log p("A") − log p("B").  A label that is not among those listed is given the least listed
  /// log-probability, which is an upper bound of its own.
  private func labelLogOdds(_ choice: JSONValue) throws(UnusableReply) -> Double {
    guard let listed = choice["logprobs"]?["content"]?.array?.first?["top_logprobs"]?.array,
      !listed.isEmpty
    else { throw UnusableReply(description: "the reply has no top_logprobs") }
    var sums: [Double?] = [nil, nil]
    var least = 0.0
    for entry in listed {
      guard let token = entry["token"]?.string, let logp = entry["logprob"]?.number,
        logp.isFinite
      else { throw UnusableReply(description: "an entry of top_logprobs is malformed") }
      least = min(least, logp)
      let word = token.trimmingCharacters(in: .whitespacesAndNewlines)
      if let label = labels.firstIndex(of: word) { sums[label] = (sums[label] ?? 0) + exp(logp) }
    }
    guard sums.contains(where: { ($0 ?? 0) > 0 }) else {
      throw UnusableReply(description: "neither label is among the top_logprobs")
    }
    let logs = sums.map { $0.flatMap { $0 > 0 ? log($0) : nil } ?? least }
    guard (logs[0] - logs[1]).isFinite else {
      throw UnusableReply(description: "the top_logprobs are no log-probabilities")
    }
    return logs[0] - logs[1]
  }

  /// ± the log-odds of `certainty`, where exactly one label stands as a word in the reply.
  private func namedLogOdds(_ text: String?) throws(UnusableReply) -> Double {
    guard let text else { throw UnusableReply(description: "the reply has no text") }
    let words = Set(Self.words(text))
    let named = labels.indices.filter { words.contains(labels[$0]) }
    guard named.count == 1 else {
      throw UnusableReply(
        description: "the reply names \(named.isEmpty ? "no label" : "both labels"): "
          + "\"\(text.prefix(80))\"")
    }
    let odds = log(certainty / (1 - certainty))
    return named[0] == 0 ? odds : -odds
  }
}
