import Foundation
import SparHost
import SparTraining
import Testing

/// Takes an event file apart, checking every checksum.
struct EventReader {
  struct Event {
    var step = 0
    var version: String?
    var scalars: [String: Float] = [:]
    var isStart = false
  }
  private(set) var events: [Event] = []

  init(_ data: Data) throws {
    var rest = [UInt8](data)[...]
    while !rest.isEmpty {
      let length = rest.prefix(8)
      let count = Int(Self.number(length))
      #expect(UInt32(Self.number(rest.dropFirst(8).prefix(4))) == CRC32C.masked(Array(length)))
      let payload = rest.dropFirst(12).prefix(count)
      try #require(payload.count == count)
      #expect(
        UInt32(Self.number(rest.dropFirst(12 + count).prefix(4)))
          == CRC32C.masked(Array(payload)))
      events.append(Self.event(payload))
      rest = rest.dropFirst(16 + count)
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// (field, number, block) of a message.
  private static func fields(_ message: ArraySlice<UInt8>) -> [(Int, UInt64, ArraySlice<UInt8>)] {
    var rest = message
    func varint() -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while let byte = rest.popFirst() {
        value |= UInt64(byte & 0x7F) << shift
        shift += 7
        if byte & 0x80 == 0 { break }
      }
      return value
    }
    var found: [(Int, UInt64, ArraySlice<UInt8>)] = []
    while !rest.isEmpty {
      let key = varint()
      var value: UInt64 = 0
      var block: ArraySlice<UInt8> = []
      switch key & 7 {
      case 0: value = varint()
      case 2:
        let length = Int(varint())
        block = rest.prefix(length)
      default: block = rest.prefix(key & 7 == 1 ? 8 : 4)
      }
      if key & 7 != 0 { rest = rest[block.endIndex...] }
      if key & 7 != 2 && key & 7 != 0 { value = number(block) }
      found.append((Int(key >> 3), value, block))
    }
    return found
  }

  private static func event(_ payload: ArraySlice<UInt8>) -> Event {
    var event = Event()
    for (field, value, block) in fields(payload) {
      switch field {
      case 2: event.step = Int(value)
      case 3: event.version = String(decoding: block, as: UTF8.self)
      case 7: event.isStart = fields(block).contains { $0.0 == 1 && $0.1 == 1 }
      case 5:
        for (_, _, entry) in fields(block) {
          let parts = fields(entry)
          let tag = parts.first { $0.0 == 1 }.map { String(decoding: $0.2, as: UTF8.self) }
          let number = parts.first { $0.0 == 2 }.map { Float(bitPattern: UInt32($0.1)) }
          event.scalars[tag ?? ""] = number
        }
      default: break
      }
    }
    return event
  }
}

@Suite("Training log") struct LogTests {
  @Test("CRC32C of the known vectors")
  func checksum() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([]) == 0)
    // mask(c) = rotr32(c, 15) + 0xa282ead8
    #expect(CRC32C.masked(Array("123456789".utf8)) == 0xC78A_B0E5)
  }

  @Test("an event file reads back: version, start of a resumed session, scalars by step")
  func events() throws {
    let folder = try temporaryFolder()
    let file = try EventFile(directory: folder, resumeStep: 7)
    try file.write(["train/loss": 0.5, "train/rewards/margins": -2], step: 300)
    try file.close()
    let name = URL(fileURLWithPath: file.path).lastPathComponent
    #expect(name.hasPrefix("events.out.tfevents."))
    let events = try EventReader(Data(contentsOf: URL(fileURLWithPath: file.path))).events
    #expect(events.map(\.version) == ["brain.Event:2", nil, nil])
    #expect(events[1].isStart && events[1].step == 7)
    #expect(events[2].step == 300)
    #expect(events[2].scalars == ["train/loss": 0.5, "train/rewards/margins": -2])
  }

  @Test(
    "a run logs TRL's names, in metrics.jsonl, trainer_state.json and TensorBoard alike",
    .enabled(if: Golden.folder != nil, Golden.absent))
  func names() throws {
    let output = try temporaryFolder()
    var options = TrainingOptions()
    options.perDeviceBatch = 2
    options.learningRate = 1e-3
    options.schedule = .constant
    options.warmupRatio = 0
    options.loggingSteps = 2
    let groups = randomGroups(6)
    var reports: [SparHost.Progress] = []
    let result = try Trainer(
      Golden.tinyModel(), objective: SquareObjective(), groups: groups, options: options,
      scale: MetricScale(beta: 1e-3, lossFactor: 1e-6), output: output
    ).run { reports.append($0) }
    #expect(result.history.map(\.step) == [1, 2, 3])
    let first = result.history[0].values
    let names: Set = [
      "loss", "learning_rate", "grad_norm", "epoch", "global_step", "num_tokens",
      "rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies",
      "logps/chosen", "logps/rejected", "spar/normalised_loss", "spar/kl_ref", "spar/len_chosen",
      "spar/len_rejected", "perf/tokens_per_s", "perf/mem_peak_mb", "objective/residual",
      "entropy",
    ]
    #expect(Set(first.keys) == names)
    // Before the first update the policy is the reference: the loss is that of the targets alone.
    let start = (300 * 300 + 200 * 200) / 2.0
    #expect(abs(try #require(first["loss"]) - start) < 1e-6)
    #expect(abs(try #require(first["spar/normalised_loss"]) - start * 1e-6) < 1e-9)
    #expect(first["rewards/margins"] == 0)
    #expect(first["rewards/accuracies"] == 0)
    #expect(abs(try #require(first["objective/residual"]) + 50) < 1e-9)
    #expect(first["learning_rate"] == 1e-3)
    #expect(first["epoch"] == 1.0 / 3)
    let tokens = groups.reduce(0) { $0 + $1.attendedTokens }
    #expect(result.history[2].values["num_tokens"] == Double(tokens))

    let lines = try String(contentsOfFile: output + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map {
        try JSONDecoder().decode([String: Double].self, from: Data($0.utf8))
      }
    #expect(lines == result.history.map(\.values))
    struct State: Decodable {
      var globalStep: Int
      var logHistory: [[String: Double]]
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let state = try decoder.decode(
      State.self, from: Data(contentsOf: URL(fileURLWithPath: output + "/trainer_state.json")))
    #expect(state.globalStep == 3)
    let history = state.logHistory
    #expect(Set(history[0].keys) == names.union(["step"]))
    #expect(history.map { $0["step"] } == [1, 2, 3])
    #expect(history.map { $0["loss"] } == lines.map { $0["loss"] })

    let runs = try FileManager.default.contentsOfDirectory(atPath: output + "/runs")
    let run = output + "/runs/" + (try #require(runs.first))
    let name = try #require(FileManager.default.contentsOfDirectory(atPath: run).first)
    let events = try EventReader(Data(contentsOf: URL(fileURLWithPath: run + "/" + name))).events
    #expect(events.dropFirst().map(\.step) == [1, 2, 3])
    #expect(Set(events[1].scalars.keys) == Set(names.map { "train/" + $0 }))
    #expect(events[1].scalars["train/loss"] == Float(start))

    let steps = reports.filter { $0.unit == "steps" }
    #expect(steps.map(\.done) == [1, 2, 3])
    #expect(steps.allSatisfy { $0.stage == "train" && $0.total == 3 })
    #expect(steps[0].detail.hasPrefix("loss 6.5e+04 · "))
  }

  @Test(
    "chosen answers gain on rejected ones",
    .enabled(if: Golden.folder != nil, Golden.absent))
  func learns() throws {
    var options = TrainingOptions()
    options.learningRate = 1e-4
    options.schedule = .constant
    options.warmupRatio = 0
    options.maxSteps = 8
    options.perDeviceBatch = 2
    options.loggingSteps = 1
    let history = try Trainer(
      Golden.tinyModel(), objective: SquareObjective(), groups: randomGroups(2), options: options,
      output: temporaryFolder()
    ).run().history.map(\.values)
    let (first, last) = (try #require(history.first), try #require(history.last))
    #expect(try #require(last["rewards/margins"]) > 1)
    #expect(last["rewards/accuracies"] == 1)
    #expect(try #require(last["loss"]) < #require(first["loss"]) - 100)
  }

  @Test(
    "reference log-probabilities are computed once and cached",
    .enabled(if: Golden.folder != nil, Golden.absent))
  func cachedReference() throws {
    let output = try temporaryFolder()
    var options = TrainingOptions()
    options.maxSteps = 1
    func reports() throws -> Set<String> {
      var units: Set<String> = []
      _ = try Trainer(
        Golden.tinyModel(), objective: SquareObjective(), groups: randomGroups(2),
        options: options, output: output
      ).run { units.insert($0.unit) }
      return units
    }
    #expect(try reports() == ["reference groups", "steps"])
    try FileManager.default.removeItem(atPath: output + "/step-1.h5")
    #expect(try reports() == ["steps"])
  }
}
