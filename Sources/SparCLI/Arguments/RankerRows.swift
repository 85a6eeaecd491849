import SparData
import SparRankerTraining
import SparStore
import SparText

/// Comparisons of data files as a ranker reads them, and what had to be left out.
struct RankerRows {
  var path: String
  var data = RankerData()
  /// Rows that were not used, or not whole, by reason.
  var skipped: [String: Int] = [:]
  /// Identity of the files.
  var digest: String

  init(_ text: String, _ mapping: ColumnMapping, encoder: RankerEncoder) throws {
    path = text
    let mixture = try DataMixture(text)
    digest = try mixture.files().map { try fileDigest($0) }.joined() + text
    let reader = MixtureReader(mixture, mapping: mapping)
    while let (row, form) = try reader.nextWithForm() {
      guard form.hasPairs, form != .candidates, form != .idPairs else {
        throw row.error(
          "its columns are of the form \(form.rawValue), which holds no comparison of two texts",
          cure: "give prompt, chosen and rejected")
      }
      let example = try Example(row, form: form)
      guard case .text(let chosen) = example.answers[0],
        case .text(let rejected) = example.answers[1]
      else { throw row.error("chosen and rejected must be texts") }
      let prompt: [ChatMessage]
      switch example.prompt {
      case .messages(let messages): prompt = messages
      case .text(let text): prompt = [ChatMessage(role: "user", content: text)]
      case .ids: throw row.error("prompt must be a text or messages")
      }
      let probability = row["chosen_probs"]?.double ?? 1
      guard (0...1).contains(probability) else {
        throw row.error("chosen_probs is \(probability)", cure: "a probability is from 0 to 1")
      }
      let outcome = try encoder.add(
        prompt: prompt, chosen: chosen, rejected: rejected, probability: probability,
        margin: row["margin"]?.double ?? 0, place: "\(row.place.path), \(row.place)", to: &data)
      switch outcome {
      case .added: break
      case .truncated: skipped["cut at the end", default: 0] += 1
      case .promptTooLong: skipped["left out, the prompt alone is too long", default: 0] += 1
      case .identical: skipped["left out, both answers are the same", default: 0] += 1
      }
    }
    guard !data.pairs.isEmpty else { throw RankerTrainingError.noPairs(path: text) }
  }

  var skippedText: String {
    skipped.sorted { $0.key < $1.key }.map { "\($0.value) comparisons \($0.key)" }
      .joined(separator: "; ")
  }
}
