import SparPluginKit

/// One question to the judge: answers `first` and `second` of a query, in that order.
struct Comparison: Equatable, Sendable {
  var query: Int
  var first: Int
  var second: Int
}

/// Which answer is shown first.
enum JudgeOrder: String, CaseIterable {
  /// One question for each pair, its order drawn from the texts and the seed.
  case random
  /// Two questions for each pair.
  case both

  /// The questions about one query.  Equal answers are not asked about.
  func comparisons(
    _ query: Int, prompt: String, answers: [String], seed: Int
  ) -> [Comparison] {
    var asked: [Comparison] = []
    for i in answers.indices {
      for j in answers.indices where i < j && answers[i] != answers[j] {
        let (low, high) = answers[i] < answers[j] ? (i, j) : (j, i)
        // A property of the texts: the order of the answers in the query changes nothing.
        let lowFirst = Self.bit([prompt, answers[low], answers[high]], seed)
        let (first, second) = lowFirst ? (low, high) : (high, low)
        asked.append(Comparison(query: query, first: first, second: second))
        if self == .both {
          asked.append(Comparison(query: query, first: second, second: first))
        }
      }
    }
    return asked
  }

  /// One bit of a hash (FNV-1a with a final mix) of texts and seed.
  private static func bit(_ texts: [String], _ seed: Int) -> Bool {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    for text in texts {
      text.utf8.forEach(add)
      add(0xFF)  // no byte of UTF-8
    }
    for shift in stride(from: 0, to: 64, by: 8) {
      add(UInt8(truncatingIfNeeded: UInt64(bitPattern: Int64(seed)) >> UInt64(shift)))
    }
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    return (hash ^ (hash >> 33)) & 1 == 0
  }
}
