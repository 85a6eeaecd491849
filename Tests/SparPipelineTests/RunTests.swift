import Foundation
import SparGeneration
import SparHost
import SparPipeline
import SparText
import Testing

@Suite("Prompt slices") struct PromptSlicesTests {
  private func prompts(_ count: Int) -> [Prompt] {
    (0..<count).map {
      Prompt(index: $0, id: "p\($0)", messages: [ChatMessage(role: "user", content: "\($0)?")])
    }
  }

  @Test("slices are disjoint and, without a size, hold every prompt", arguments: [1, 2, 3, 7])
  func disjoint(iterations: Int) throws {
    let all = prompts(50)
    let slices = try PromptSlices(
      all, iterations: iterations, perIteration: 0, seed: 7, source: "p"
    ).slices
    let rows = slices.flatMap { $0.map(\.index) }
    #expect(rows.count == 50)
    #expect(Set(rows).count == 50)
    let sizes = slices.map(\.count)
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
  }

  @Test("the seed alone decides who is where")
  func seeded() throws {
    let all = prompts(40)
    func rows(_ seed: UInt64) throws -> [[Int]] {
      try PromptSlices(all, iterations: 2, perIteration: 10, seed: seed, source: "p").slices
        .map { $0.map(\.index) }
    }
    #expect(try rows(1) == rows(1))
    #expect(try rows(1) != rows(2))
    #expect(try rows(1).map(\.count) == [10, 10])
  }

  /// The prompts of a file with these lines.
  private func read(_ lines: String) throws -> [Prompt] {
    let path = NSTemporaryDirectory() + "spar-prompts-\(UUID().uuidString).jsonl"
    defer { unlink(path) }
    try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
    return try Prompt.read(path)
  }

  @Test("further columns keep their numbers on the way into the iteration's file")
  func numbers() throws {
    let line =
      #"{"prompt": "p", "x": 0.1, "n": 9007199254740993, "f": 1.0, "big": 1e300, "none": NaN, "#
      + #""deep": [{"y": 1e-7, "z": NaN}]}"#
    let prompts = try read(line)
    let written = String(decoding: try prompts.jsonLines(), as: UTF8.self)
    #expect(
      written == #"{"big": 1e+300, "deep": [{"y": 1e-07, "z": null}], "f": 1.0, "id": "0", "#
        + #""index": 0, "messages": [{"role": "user", "content": "p"}], "n": 9007199254740993, "none": null, "#
        + #""x": 0.1}"# + "\n")
    // Reading them back and writing them again changes nothing.
    let again = try read(written)
    #expect(again.map(\.messages) == prompts.map(\.messages))
    #expect(String(decoding: try again.jsonLines(), as: UTF8.self) == written)
    let error = #expect(throws: (any Error).self) { try read(#"{"prompt": "p", "x": 1e400}"#) }
    #expect("\(try #require(error))".contains("column x holds a number beyond"))
  }

  @Test("too few prompts are an error that counts")
  func tooFew() {
    #expect(throws: RunError.tooFewPrompts(path: "p", found: 9, needed: 10)) {
      try PromptSlices(prompts(9), iterations: 2, perIteration: 5, seed: 1, source: "p")
    }
  }

  @Test("a held-out prompt among the training prompts is an error")
  func overlap() throws {
    let all = prompts(10)
    #expect(throws: RunError.self) {
      try PromptSlices.requireDisjoint(
        heldout: [all[3]], in: "h", training: all, in: "t")
    }
    try PromptSlices.requireDisjoint(
      heldout: Array(all[5...]), in: "h", training: Array(all[..<5]), in: "t")
  }
}

@Suite("Stage keys") struct StageKeyTests {
  @Test("a change is named with both values")
  func changes() {
    let was = StageKey(["train.optim": "rmsprop", "seed": "1", "gone": "x"])
    let now = StageKey(["train.optim": "adamw", "seed": "1", "new": "y"])
    #expect(
      now.changes(from: was).map(\.description) == [
        "gone was x, is not set", "new was not set, is y", "train.optim was rmsprop, is adamw",
      ])
    #expect(now.changes(from: now).isEmpty)
  }

  @Test("the digest depends on every part and cannot be shifted between them")
  func digest() {
    let a = StageKey(["ab": "c"])
    #expect(a.digest != StageKey(["a": "bc"]).digest)
    #expect(a.digest != StageKey(["ab": "c", "d": ""]).digest)
    #expect(a.digest == StageKey(["ab": "c"]).digest)
  }
}

@Suite("Stage ledger") struct StageLedgerTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "spar-ledger-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private var output: String { folder + "/out.h5" }

  private func ledger() throws -> StageLedger { try StageLedger(path: folder + "/stages.json") }

  private func finish(_ key: StageKey) throws {
    try Data("result".utf8).write(to: URL(fileURLWithPath: output))
    var ledger = try ledger()
    try ledger.begin("rank", key: key)
    try ledger.finish("rank", output: output, figures: ["pairs": 3])
  }

  @Test("a finished stage is found again by another process, with its figures")
  func finished() throws {
    defer { remove() }
    let key = StageKey(["a": "1"])
    #expect(try ledger().state(of: "rank", key: key, output: output) == .due)
    try finish(key)
    guard case .finished(let record) = try ledger().state(of: "rank", key: key, output: output)
    else {
      Issue.record("not finished")
      return
    }
    #expect(record.figures["pairs"] == 3)
    #expect(record.output == "out.h5")
  }

  @Test("a stage that was only begun is due, and changed settings are noticed all the same")
  func begun() throws {
    defer { remove() }
    var ledger = try ledger()
    try ledger.begin("rank", key: StageKey(["a": "1"]))
    #expect(
      try self.ledger().state(of: "rank", key: StageKey(["a": "1"]), output: output) == .due)
    let error = #expect(throws: RunError.self) {
      try self.ledger().state(of: "rank", key: StageKey(["a": "2"]), output: output)
    }
    #expect("\(try #require(error))".contains("a was 1, is 2"))
    #expect(error?.hint?.contains("--restart-from") == true)
  }

  @Test("a final file that vanished, shrank or came from elsewhere is an error")
  func lost() throws {
    defer { remove() }
    let key = StageKey(["a": "1"])
    try finish(key)
    try Data("res".utf8).write(to: URL(fileURLWithPath: output))
    #expect(throws: RunError.self) { try ledger().state(of: "rank", key: key, output: output) }
    try FileManager.default.removeItem(atPath: output)
    #expect(throws: RunError.self) { try ledger().state(of: "rank", key: key, output: output) }
    try Data("x".utf8).write(to: URL(fileURLWithPath: output))
    #expect(throws: RunError.self) { try ledger().state(of: "generate", key: key, output: output) }
  }

  private func remove() {
    #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) }
  }
}

@Suite("Target of a run") struct RunTargetTests {
  @Test("base, a stage, or an iteration and a stage; shown as it is read")
  func reading() throws {
    #expect(try RunTarget("base").iteration == 0)
    #expect(try RunTarget("rank") == RunTarget(iteration: 1, stage: "rank"))
    for text in ["base", "train-ranker", "1/generate", "3/heldout", "2/check-length"] {
      #expect(try RunTarget(text).description == text)
    }
    for text in ["", "0/rank", "rank/2", "1/base", "1/2/rank", "ranc", "1/bootstrap", "1/check-"] {
      #expect(throws: RunError.self) { try RunTarget(text) }
    }
  }
}

@Suite("Restart point") struct RestartPointTests {
  @Test("a stage, or an iteration and a stage")
  func reading() throws {
    #expect(try RestartPoint("train").iteration == 1)
    #expect(try RestartPoint("3/rank").iteration == 3)
    #expect(try RestartPoint("3/rank").stage == .rank)
    #expect(try RestartPoint("ranker").includesRanker)
    #expect(try !RestartPoint("rank").includesRanker)
    for text in ["", "x", "0/rank", "rank/2", "1/2/rank", "1/ranker"] {
      #expect(throws: RunError.restart(text: text)) { try RestartPoint(text) }
    }
  }

  @Test("what came before stays, what came after goes")
  func clearing() throws {
    let root = NSTemporaryDirectory() + "spar-restart-\(UUID().uuidString)"
    let directory = RunDirectory(root)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: root) } }
    for t in 1...2 {
      let folder = directory.iteration(t)
      try folder.create()
      for path in [folder.candidates, folder.preferences, folder.heldout] {
        try Data("x".utf8).write(to: URL(fileURLWithPath: path))
      }
    }
    let (judged, ranker) = (directory.iteration(1).evaluation(by: "length"), directory.ranker)
    try ranker.create()
    try Data("x".utf8).write(to: URL(fileURLWithPath: judged))
    try RestartPoint("1/rank").clear(directory)
    #expect(!FileManager.default.fileExists(atPath: judged))
    #expect(FileManager.default.fileExists(atPath: ranker.path))
    let files = FileManager.default
    #expect(files.fileExists(atPath: directory.iteration(1).candidates))
    #expect(!files.fileExists(atPath: directory.iteration(1).preferences))
    #expect(!files.fileExists(atPath: directory.iteration(1).heldout))
    #expect(!files.fileExists(atPath: directory.iteration(2).path))
    try RestartPoint("ranker").clear(directory)
    #expect(!files.fileExists(atPath: ranker.path))
    #expect(files.fileExists(atPath: directory.iteration(1).candidates))
  }
}

@Suite("Progress of a run") struct RunProgressTests {
  private let steps = [
    RunProgress.Step(label: "a", stage: "a", weight: 1),
    RunProgress.Step(label: "b", stage: "b", weight: 3),
  ]

  private func moment(_ done: Double) -> SparHost.Progress {
    SparHost.Progress(stage: "s", done: done, total: 10, unit: "prompts")
  }

  @Test("the whole is the weighted parts")
  func weights() {
    var progress = RunProgress(steps)
    #expect(progress.snapshot(moment(5)).fraction == 0.125)
    progress.advance(bySkipping: true)
    #expect(progress.snapshot(moment(0)).fraction == 0.25)
    #expect(progress.snapshot(moment(5)).label == "b")
    progress.advance(bySkipping: true)
    #expect(progress.snapshot(moment(0)).fraction == 1)
  }

  @Test("the fraction stays within 0…1 for wild reports")
  func bounded() {
    let progress = RunProgress(steps)
    #expect(progress.snapshot(moment(99)).fraction <= 1)
    #expect(progress.snapshot(moment(-9)).fraction >= 0)
    #expect(
      progress.snapshot(SparHost.Progress(stage: "s", done: 0, total: 0, unit: "")).fraction == 0)
  }
}

@Suite("Nearest name") struct NearestNameTests {
  @Test(
    "small slips are understood",
    arguments: [
      ("temprature", "temperature"), ("lerning_rate", "learning_rate"), ("top-pp", "top_p"),
    ])
  func slips(typed: String, meant: String) {
    #expect(NearestName.of(typed, among: ["temperature", "learning_rate", "top_p"]) == meant)
  }
}
