import Foundation
import RankerFixtures
import SparPreference
import SparStore
import SparTensor

extension Folder {
  /// n prompts with four random answers each, of ids below 100.
  func candidates(_ name: String = "candidates.h5", prompts n: Int, seed: UInt64 = 1) throws
    -> String
  {
    var random = Random(seed: seed, stage: .shuffle)
    let rows = (0..<n).map { index in
      CandidateGroup(
        promptIndex: 10 + index, promptID: "id\(index)",
        messages: [.init(role: "user", content: "question \(index)")], promptIDs: [1, 2],
        answers: (0..<4).map { _ in
          let ids = (0...Int(random.next() % 9)).map { _ in Int32(random.next() % 100) }
          return CandidateAnswer(
            ids: ids + [0], logps: ids.map { _ in -1 } + [-2], finish: .stop,
            text: ids.map { "w\($0)" }.joined(separator: " "))
        })
    }
    let path = file(name)
    try CandidatesFile.write(
      to: path, CandidateTable(K: 4, rows: rows),
      attributes: ["model": "m", "tokenizer_digest": "t"])
    return path
  }
}

/// A cross-encoder's stand-in: any number for any ordered pair, from the texts alone, -0 included.
func noisyRanker(_ name: String = "noisy", called: @escaping () -> Void = {}) -> AnswerRanker {
  AnswerRanker(identity: .init(id: name, version: "1"), givesRawScores: true) { queries in
    called()
    return queries.map { query in
      let seeds = query.responses.map { text in
        text.utf8.reduce(14_695_981_039 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
      }
      return seeds.enumerated().flatMap { i, left in
        seeds.enumerated().map { j, right in
          var random = Random(seed: left, stage: .shuffle, item: Int(right >> 2))
          return i == j ? -0.0 : 6 * random.uniform() - 3
        }
      }
    }
  }
}
