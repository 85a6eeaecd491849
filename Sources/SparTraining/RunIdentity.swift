import Foundation

/// Everything that decides what a run computes, as text by key.
///
/// Two runs with the same identity compute the same; a checkpoint of another identity is refused.
package struct RunIdentity: Codable, Equatable {
  package private(set) var values: [String: String]

  /// Options that change what is kept and shown, not what is computed.
  private static let free: Set = ["loggingSteps", "saveSteps", "saveTotalLimit"]

  package init(
    options: TrainingOptions, objective: [String: String], model: String, data: String
  ) throws {
    values = objective
    values["model"] = model
    values["data"] = data
    let json = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(options))
    for (key, value) in json as? [String: Any] ?? [:] where !Self.free.contains(key) {
      values[key] = "\(value)"
    }
  }

  /// The first key, in order, whose values differ.
  package func difference(from other: RunIdentity) -> (key: String, here: String, there: String)? {
    for key in Set(values.keys).union(other.values.keys).sorted() {
      let (here, there) = (values[key] ?? "(none)", other.values[key] ?? "(none)")
      if here != there { return (key, here, there) }
    }
    return nil
  }
}

/// The identity of training data: 64-bit FNV-1a over all ids and numbers.
enum DataDigest {
  static func of(_ groups: [TrainingGroup]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ value: UInt64) {
      var rest = value
      for _ in 0..<8 {
        hash = (hash ^ (rest & 0xFF)) &* 0x0000_0100_0000_01B3
        rest >>= 8
      }
    }
    func mix(_ values: [Double]) { for value in values { mix(value.bitPattern) } }
    func mix(_ ids: [Int32]) {
      mix(UInt64(ids.count))
      for id in ids { mix(UInt64(UInt32(bitPattern: id))) }
    }
    mix(UInt64(groups.count))
    for group in groups {
      mix(group.promptIDs)
      mix(UInt64(group.answers.count))
      for answer in group.answers {
        mix(answer.ids)
        mix([answer.refLogp ?? .infinity, answer.winProb, answer.meanScore, Double(answer.label)])
      }
      mix(group.pairwise)
      mix(group.score)
      switch group.terms {
      case .labels: break
      case .answers: mix(UInt64.max)
      case .pairs(let pairs): mix(pairs.flatMap { [Int32($0.chosen), Int32($0.rejected)] })
      }
      for (name, values) in group.columns.sorted(by: { $0.key < $1.key }) {
        mix(name.utf8.map(Int32.init))
        mix(values)
      }
    }
    return String(format: "%016lx", UInt(hash))
  }
}
