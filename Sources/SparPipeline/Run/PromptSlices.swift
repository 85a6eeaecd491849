import Foundation
import SparGeneration
import SparStore
import SparTensor

/// Which prompts each iteration gets: all different, drawn by the seed.
public struct PromptSlices: Equatable, Sendable {
  /// One list for each iteration; a prompt keeps its row in the file, which names its random
  /// streams.
  public var slices: [[Prompt]]

  /// - Parameters:
  ///   - perIteration: prompts of each slice; 0 = all prompts, split so that sizes differ by one
  ///     at most.
  ///   - source: the file, for messages.
  public init(
    _ prompts: [Prompt], iterations: Int, perIteration: Int, seed: UInt64, source: String
  ) throws(RunError) {
    let needed = iterations * max(perIteration, 1)
    guard prompts.count >= needed else {
      throw .tooFewPrompts(path: source, found: prompts.count, needed: needed)
    }
    var random = Random(seed: seed, stage: .shuffle)
    let order = random.permutation(prompts.count).map { prompts[$0] }
    slices = (0..<iterations).map { t in
      if perIteration > 0 { return Array(order[(t * perIteration)..<((t + 1) * perIteration)]) }
      return Array(order[(t * order.count / iterations)..<((t + 1) * order.count / iterations)])
    }
  }

  /// A set for each iteration, in the order of its file; `perIteration` above 0 draws so many.
  public init(
    oneEach sets: [[Prompt]], perIteration: Int, seed: UInt64, source: String
  ) throws(RunError) {
    var slices: [[Prompt]] = []
    for (place, set) in sets.enumerated() {
      guard set.count >= max(perIteration, 1) else {
        throw .tooFewPrompts(
          path: PromptSets.name(source, iteration: place + 1), found: set.count,
          needed: max(perIteration, 1))
      }
      var random = Random(seed: seed, stage: .shuffle, iteration: place + 1)
      let drawn = perIteration > 0 ? random.permutation(set.count).prefix(perIteration) : []
      slices.append(perIteration > 0 ? drawn.map { set[$0] } : set)
    }
    self.slices = slices
  }

  /// Throws if a held-out conversation is among the training prompts.
  public static func requireDisjoint(
    heldout: [Prompt], in heldoutPath: String, training: [Prompt], in trainingPath: String
  ) throws(RunError) {
    let known = Set(training.map(\.messages))
    let shared = heldout.filter { known.contains($0.messages) }
    guard let first = shared.first else { return }
    throw .samePrompts(
      heldout: heldoutPath, training: trainingPath, example: first.id, count: shared.count)
  }
}

private struct PromptLine: Encodable {
  var id: String
  var index: Int
  var messages: [CandidateGroup.Message]
}

extension [Prompt] {
  /// As JSON lines that `Prompt.read` reads back.
  func jsonLines() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var lines = Data()
    for prompt in self {
      let line = try encoder.encode(
        PromptLine(
          id: prompt.id, index: prompt.index,
          messages: prompt.messages.map { .init(role: $0.role, content: $0.content) }))
      lines += try prompt.row.map { try Self.merging(line, into: $0) } ?? line
      lines.append(0x0A)
    }
    return lines
  }

  /// The line with the further columns of the prompt's own row.
  private static func merging(_ line: Data, into row: String) throws -> Data {
    let own = try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any] ?? [:]
    let named = try JSONSerialization.jsonObject(with: line) as? [String: Any] ?? [:]
    return try JSONSerialization.data(
      withJSONObject: own.filter { $0.key != "prompt" }.merging(named) { $1 },
      options: [.sortedKeys, .withoutEscapingSlashes])
  }

  /// Identity of the conversations, their places and further columns.
  func digest() throws -> String {
    var hash = SHA256()
    hash.update([UInt8](try jsonLines()))
    return hash.hexDigest()
  }
}
