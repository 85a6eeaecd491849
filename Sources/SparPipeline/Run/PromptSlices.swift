import Foundation
import SparGeneration
import SparStore
import SparTensor
import SparText

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

extension [Prompt] {
  /// As JSON lines that `Prompt.read` reads back.
  public func jsonLines() throws -> Data {
    var lines: [UInt8] = []
    for prompt in self {
      JSONWriter.append(.object(try Self.members(prompt)), indent: 0, level: 0, to: &lines)
      lines.append(0x0A)
    }
    return Data(lines)
  }

  /// The prompt and the further columns of its own row, in the order of their names.
  private static func members(_ prompt: Prompt) throws -> [JSONMember] {
    let messages = prompt.messages.map { message in
      JSONNode.object([
        JSONMember(key: "role", value: .string(message.role)),
        JSONMember(key: "content", value: .string(message.content)),
      ])
    }
    var members: [String: JSONNode] = [:]
    if let row = prompt.row {
      for member in try JSONParser.parse(Data(row.utf8)).members ?? [] {
        members[member.key] = member.value
      }
    }
    members["prompt"] = nil
    members["id"] = .string(prompt.id)
    members["index"] = .integer(prompt.index)
    members["messages"] = .array(messages)
    return members.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: $0.value) }
  }

  /// Identity of the conversations, their places and further columns.
  func digest() throws -> String {
    var hash = SHA256()
    hash.update([UInt8](try jsonLines()))
    return hash.hexDigest()
  }
}
