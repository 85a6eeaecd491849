import Foundation
import SparPipeline
import SparStore
import SparSweeps
import Testing

/// Sweeps of a tiny model through the program, as users run them.
@Suite("Sweeps", .serialized) struct SweepTests {
  private let tiny: TinySweep

  init() throws { tiny = try TinySweep() }

  private static let axes = ["objective.name=sppo,dpo", "train.seed=1,2"]

  /// Four points that share answers and ranking.
  private func sweep(_ folder: String) throws -> TinySweep.Outcome {
    try tiny.spar(
      in: folder, "sweep", "../recipe.yaml", "--vary", Self.axes[0], "--vary", Self.axes[1],
      "--json")
  }

  @Test("what arms have in common is computed once; the objective re-trains only")
  func shared() throws {
    let outcome = try sweep("a")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let log = "a/out/sweep.log"
    for stage in ["generate", "rank"] {
      #expect(try tiny.count("computed", stage, in: log) == 1)
      #expect(try tiny.count("reused", stage, in: log) >= 4)
    }
    #expect(try tiny.count("computed", "train", in: log) == 4)
    // Of the base model once, and of four policies.
    #expect(try tiny.count("computed", "heldout", in: log) == 5)
    #expect(try tiny.count("computed", "evaluate", in: log) == 4)
    let record = try #require(try SweepRecord.read(tiny.work.file("a/out")))
    #expect(record.points.map(\.status) == [.done, .done, .done, .done])
    #expect(record.points.map(\.id) == ["p01", "p02", "p03", "p04"])
    #expect(record.points[0].arm == "objective.name=sppo")
    #expect(record.axes.map(\.replicate) == [false, true])
    let generated = try #require(record.stages.first { $0.stage == "generate" })
    #expect(generated.usedBy == ["p01", "p02", "p03", "p04"])
    #expect(generated.path.hasPrefix("stages/generate-"))
    // A second time there is nothing to do.
    let before = try tiny.bytes(log)
    #expect(try sweep("a").output == outcome.output)
    #expect(try tiny.bytes(log) == before)
  }

  @Test("another ranker re-ranks, re-trains and re-judges, and asks for no new answers")
  func ranker() throws {
    func run(_ name: String, _ more: String...) throws {
      let arguments =
        [
          "run", "../recipe.yaml", "--store", "store", "--output_dir", name, "--stage-log",
          name + ".log",
        ] + more
      let outcome = try tiny.run(in: "a", arguments)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    try run("one")
    try run("two", "--ranker", "likelihood", "--ranker-option", "model=../model")
    try run("three", "--objective", "gpo", "--beta", "0.01")
    func computed(_ name: String) throws -> [String] {
      try tiny.log("a/\(name).log").filter { $0.action == "computed" }.map(\.stage)
    }
    #expect(try computed("one") == ["heldout", "generate", "rank", "train", "heldout", "evaluate"])
    // The policy differs, so do its answers; those of the base model and of generate stay.
    #expect(try computed("two") == ["rank", "train", "heldout", "evaluate"])
    #expect(try computed("three") == ["train", "heldout", "evaluate"])
  }

  @Test("killed anywhere, as often as it may be, a sweep comes to the same bits")
  func killed() throws {
    #expect(try sweep("a").status == 0)
    var random = SystemRandomNumberGenerator()
    var times: [UInt32] = []
    var kills = 0
    for round in 0..<12 {
      let time = UInt32.random(in: 20...UInt32(200 + 100 * round), using: &random)
      times.append(time)
      let isKilled = try tiny.sparKilled(
        in: "b", after: time, "sweep", "../recipe.yaml", "--vary", Self.axes[0], "--vary",
        Self.axes[1], "--jobs", round % 2 == 0 ? "1" : "2")
      kills += isKilled ? 1 : 0
    }
    #expect(kills > 3, "killed after \(times) ms")
    let outcome = try sweep("b")
    #expect(outcome.status == 0, "killed after \(times) ms: \(outcome.errors)")
    #expect(
      try tiny.evaluations("a", points: 4) == tiny.evaluations("b", points: 4),
      "killed after \(times) ms")
  }

  @Test("what is deleted is computed again, and nothing else", arguments: ["generate", "train"])
  func deleted(stage: String) throws {
    let outcome = try sweep("a")
    let evaluations = try tiny.evaluations("a", points: 4)
    let folder = try #require(try tiny.stageFolders("a", stage).first)
    try FileManager.default.removeItem(atPath: folder)
    try FileManager.default.removeItem(atPath: tiny.work.file("a/out/sweep.log"))
    #expect(try sweep("a").output == outcome.output)
    let computed = try tiny.log("a/out/sweep.log").filter { $0.action == "computed" }
    #expect(computed.map(\.stage) == [stage])
    #expect(try tiny.evaluations("a", points: 4) == evaluations)
  }

  @Test("what is computed again and has other bytes makes everything anew that was made of it")
  func otherBytes() throws {
    func run(_ name: String, in folder: String = "a", _ more: String...) throws -> [String] {
      let outcome = try tiny.run(
        in: folder,
        [
          "run", "../recipe.yaml", "--store", "store", "--output_dir", name, "--stage-log",
          name + ".log",
        ] + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try tiny.log("\(folder)/\(name).log").filter { $0.action == "computed" }.map(\.stage)
    }
    func chosen(_ run: String) throws -> [Int] {
      let path = tiny.work.file(run + "/iteration-1/preferences.h5")
      return try PreferencesFile.read(path).table.chosen
    }
    func evaluation(_ run: String) throws -> Data {
      try tiny.bytes(run + "/iteration-1/evaluation.json")
    }
    #expect(try run("one", "--until", "generate").last == "generate")
    try disturbGeneration(tiny.work.file("a/store"))
    #expect(try run("one").suffix(4) == ["rank", "train", "heldout", "evaluate"])
    let disturbed = try chosen("a/one")
    try FileManager.default.removeItem(atPath: try generation(tiny.work.file("a/store")))
    let again = try run("two")
    // What comes of the policy is made anew where the policy is another.
    #expect(again.prefix(3) == ["generate", "rank", "train"], "\(again)")
    #expect(try run("clean", in: "b").count == 6)
    #expect(try chosen("b/clean") != disturbed)
    #expect(try chosen("a/two") == chosen("b/clean"))
    #expect(try evaluation("a/two") == evaluation("b/clean"))
    // The run that had finished with the other bytes takes over what is there now.
    try FileManager.default.removeItem(atPath: tiny.work.file("a/one.log"))
    #expect(try run("one").isEmpty)
    #expect(try chosen("a/one") == chosen("b/clean"))
    #expect(try evaluation("a/one") == evaluation("b/clean"))
  }

  private func generation(_ store: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: store)
    return store + "/" + (try #require(names.first { $0.hasPrefix("generate-") }))
  }

  /// A result of `generate` as another machine might have computed it: each prompt's answers have
  /// their texts in the other order.
  private func disturbGeneration(_ store: String) throws {
    let folder = try generation(store)
    let file = folder + "/candidates.h5"
    let (stored, attributes) = try CandidatesFile.read(file)
    var table = stored
    for place in table.rows.indices {
      let texts = table.rows[place].answers.map(\.text)
      for (answer, text) in texts.reversed().enumerated() {
        table.rows[place].answers[answer].text = text
      }
    }
    try FileManager.default.removeItem(atPath: file)
    try CandidatesFile.write(to: file, table, attributes: attributes)
    let record = URL(fileURLWithPath: folder + "/stage.json")
    var entry = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: record)) as? [String: Any])
    var files = try #require(entry["files"] as? [String: Int])
    files["candidates.h5"] = try Data(contentsOf: URL(fileURLWithPath: file)).count
    entry["files"] = files
    entry["output_digest"] = try fileDigest(file)
    try JSONSerialization.data(withJSONObject: entry).write(to: record)
  }

  @Test("a stage without its record, or with a file cut short, is no result")
  func halfWritten() throws {
    #expect(try sweep("a").status == 0)
    let evaluations = try tiny.evaluations("a", points: 4)
    let generate = try #require(try tiny.stageFolders("a", "generate").first)
    try FileManager.default.removeItem(atPath: generate + "/stage.json")
    let rank = try #require(try tiny.stageFolders("a", "rank").first)
    try Data("cut".utf8).write(to: URL(fileURLWithPath: rank + "/preferences.h5"))
    try FileManager.default.removeItem(atPath: tiny.work.file("a/out/sweep.log"))
    #expect(try sweep("a").status == 0)
    let computed = try tiny.log("a/out/sweep.log").filter { $0.action == "computed" }
    #expect(computed.map(\.stage).sorted() == ["generate", "rank"])
    #expect(try tiny.evaluations("a", points: 4) == evaluations)
  }

  @Test("points that fail are told of with their reason, and the others are done")
  func failure() throws {
    // It is there, so it passes the checks; that it is no model shows when it is loaded.
    try FileManager.default.createDirectory(
      atPath: tiny.work.file("broken"), withIntermediateDirectories: true)
    try tiny.work.write("broken/config.json", "{}")
    let arguments = [
      "sweep", "../recipe.yaml", "--ranker", "likelihood", "--vary",
      "ranker.model=../model,../broken", "--vary", Self.axes[1],
    ]
    let outcome = try tiny.run(in: "a", arguments)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("p03 (ranker.model=../broken): "), "\(outcome.errors)")
    let record = try #require(try SweepRecord.read(tiny.work.file("a/out")))
    #expect(record.points.map(\.status) == [.done, .done, .failed, .failed])
    #expect(record.points[2].error?.contains("broken") == true)
    // The same command tries what failed again, and only that.
    #expect(try tiny.run(in: "a", arguments).status == 1)
    #expect(try tiny.count("computed", "train", in: "a/out/sweep.log") == 2)
  }

  @Test(
    "a bad value is refused before anything runs, by axis and value",
    arguments: [
      ("objective.beta=0.1,-1", "objective.beta=-1"), ("lr=1e-3,fast", "fast"),
      ("objective.name=sppo,sppoo", "sppoo"), ("ranker.bogus=1,2", "bogus"),
      ("train.max_length=64,8", "train.max_length=8"), ("iterations=1,9", "iterations=9"),
      ("generate.batch_size=1,2", "generate.batch_size=2"),
    ])
  func refused(axis: String, named: String) throws {
    let outcome = try tiny.spar("run", "../recipe.yaml", "--vary", axis)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains(named), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: tiny.work.file("a/out")))
  }

  @Test("an axis of steps leaves nothing to a flag of epochs, also in the points' recipes")
  func outweighed() throws {
    let outcome = try tiny.spar(
      "sweep", "../recipe.yaml", "--num_train_epochs", "2", "--vary", "train.max_steps=1,2")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let recipe = try String(
      contentsOfFile: tiny.work.file("a/out/points/p02/recipe.yaml"), encoding: .utf8)
    #expect(recipe.contains("train.max_steps: \"2\""), "\(recipe)")
    #expect(!recipe.contains("num_train_epochs"))
  }

  @Test("the plan runs nothing and counts what is shared")
  func plan() throws {
    let outcome = try tiny.spar(
      "sweep", "../recipe.yaml", "--vary", Self.axes[0], "--vary", Self.axes[1], "--plan", "--json",
      "--baseline", "objective.name=dpo")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: tiny.work.file("a/out")))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let outline = try decoder.decode(SweepOutline.self, from: Data(outcome.output.utf8))
    #expect(outline.points.count == 4)
    #expect(outline.baseline == "objective.name=dpo")
    let generate = try #require(outline.stages.first { $0.stage == "generate" })
    #expect(generate.needed == 4)
    #expect(generate.distinct == 1)
    #expect(outline.seconds > 0)
  }

  @Test("values may be added, a changed setting is refused by name")
  func extended() throws {
    #expect(try tiny.spar("sweep", "../recipe.yaml", "--vary", "train.seed=2").status == 0)
    let more = try tiny.spar("sweep", "../recipe.yaml", "--vary", "train.seed=1,2,3")
    #expect(more.status == 0, "\(more.errors)")
    let record = try #require(try SweepRecord.read(tiny.work.file("a/out")))
    #expect(record.points.map { $0.values["train.seed"] } == ["2", "1", "3"])
    #expect(try tiny.count("computed", "generate", in: "a/out/sweep.log") == 1)
    let changed = try tiny.spar(
      "sweep", "../recipe.yaml", "--vary", "train.seed=1,2,3", "--lr", "0.5")
    #expect(changed.status == 2)
    #expect(changed.errors.contains("train.learning_rate was 0.001, is 0.5"), "\(changed.errors)")
    let fewer = try tiny.spar("sweep", "../recipe.yaml", "--vary", "train.seed=1,2")
    #expect(fewer.status == 2)
    #expect(fewer.errors.contains("p03"), "\(fewer.errors)")
  }
}
