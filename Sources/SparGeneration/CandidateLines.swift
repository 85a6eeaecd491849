import Foundation
import SparStore

/// Answers as JSON lines, for people and scripts without HDF5.
public enum CandidateLines {
  private struct Line: Encodable {
    var index: Int
    var id: String
    var messages: [CandidateGroup.Message]
    var answers: [Answer]
  }

  private struct Answer: Encodable {
    var text: String
    var ids: [Int32]
    /// Nats, at temperature 1, end token included.
    var sumLogp: Double
    /// "stop" or "length".
    var finish: String
  }

  /// Writes one line for each prompt of candidates.h5, atomically.
  public static func write(_ candidates: String, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = Data()
    for row in try CandidatesFile.read(candidates).table.rows {
      let answers = row.answers.map {
        Answer(
          text: $0.text, ids: $0.ids, sumLogp: $0.sumLogp,
          finish: $0.finish == .stop ? "stop" : "length")
      }
      text += try encoder.encode(
        Line(index: row.promptIndex, id: row.promptID, messages: row.messages, answers: answers))
      text.append(0x0A)
    }
    try text.write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
