import Foundation
import SparPipeline
import SparSweeps
import Testing

@Suite("Axis values") struct AxisValuesTests {
  @Test(
    "lists, ranges and both together",
    arguments: [
      ("a,b, c", ["a", "b", "c"]), ("1..4", ["1", "2", "3", "4"]),
      ("0..1:5", ["0", "0.25", "0.5", "0.75", "1"]),
      ("1e-4..1e-2:3:log", ["1e-4", "0.001", "1e-2"]), ("3..1", ["3", "2", "1"]),
      ("0,2..3", ["0", "2", "3"]), ("../a,b..c", ["../a", "b..c"]),
    ])
  func forms(text: String, values: [String]) throws {
    #expect(try AxisValues.parse(text, place: "here") == values)
  }

  @Test("the steps of a log range have one ratio")
  func logarithmic() throws {
    let values = try AxisValues.parse("1e-6..1e-1:7:log", place: "").compactMap(Double.init)
    #expect(values.count == 7)
    for (a, b) in zip(values, values.dropFirst()) {
      #expect(abs(b / a - 6.8129207) < 1e-3, "\(a), \(b)")
    }
  }

  @Test(
    "what makes no sense is an error that quotes it",
    arguments: ["", "a,,b", "a,a", "0..0.5", "0..1:1", "1..1:3", "-1..1:3:log", "1..2:3:cubic"])
  func wrong(text: String) {
    let error = #expect(throws: SweepError.self) {
      try AxisValues.parse(text, place: "--vary x")
    }
    #expect("\(String(describing: error))".contains("--vary x"))
  }
}

@Suite("Grid of a sweep") struct GridTests {
  private func block(_ yaml: String, flags: [String] = []) throws -> VaryBlock {
    let file = try RecipeFile(text: yaml, path: "r.yaml")
    var block = try file.vary.map { try VaryBlock($0, path: "r.yaml") } ?? VaryBlock()
    try block.add(flags: flags)
    return block
  }

  private func cells(_ yaml: String, flags: [String] = []) throws -> [String] {
    try Grid(block(yaml, flags: flags)) { $0 == "ranker.name" ? "length" : nil }.cells.map(\.text)
  }

  @Test("all combinations, replicates fastest, aliases under their one name")
  func product() throws {
    #expect(
      try cells("model: m\nvary:\n  seed: [1, 2]\n  lr: [1e-5, 1e-6]\n  objective: sppo\n") == [
        "train.learning_rate=1e-5 objective.name=sppo seed=1",
        "train.learning_rate=1e-5 objective.name=sppo seed=2",
        "train.learning_rate=1e-6 objective.name=sppo seed=1",
        "train.learning_rate=1e-6 objective.name=sppo seed=2",
      ])
  }

  @Test("nested names, ranges as mappings")
  func nested() throws {
    let yaml = "vary:\n  train: {seed: 1..2, learning_rate: {from: 1, to: 3, steps: 3}}\n"
    #expect(try cells(yaml).count == 6)
    #expect(try cells("vary:\n  objective: {name: [sppo, gpo]}\n").count == 2)
  }

  @Test("sets are alternatives that go together")
  func sets() throws {
    #expect(
      try cells(
        """
        vary:
          sets:
            - {objective.name: sppo, objective.beta: [0.001, 0.01]}
            - {objective.name: length}
        """) == [
          "objective.name=sppo objective.beta=0.001", "objective.name=sppo objective.beta=0.01",
          "objective.name=length",
        ])
  }

  @Test("a condition looks at other axes, wherever they stand, and at the recipe")
  func conditions() throws {
    let points = [
      "objective.name=sppo objective.beta=0.01", "objective.name=dpo objective.beta=0.1",
      "objective.name=dpo objective.beta=0.5", "objective.name=gpo",
    ]
    #expect(
      try cells(
        """
        vary:
          objective.beta:
            - {values: [0.01], when: {objective.name: sppo}}
            - {values: [0.1, 0.5], when: {objective.name: dpo}}
          objective.name: [sppo, dpo, gpo]
        """) == points)
    #expect(
      try cells(
        "model: m",
        flags: [
          "objective.name=sppo,dpo,gpo", "beta=0.01@objective.name=sppo",
          "beta=0.1,0.5@objective.name=dpo",
        ]) == points)
    #expect(try cells("vary: {seed: {values: [1, 2], when: {ranker.name: length}}}").count == 2)
  }

  @Test("exclusions take points out, by number as by text")
  func exclusions() throws {
    let yaml = "vary:\n  objective.name: [sppo, dpo]\n  objective.beta: [0.1, 0.5]\n  exclude:\n"
    #expect(
      try cells(yaml + "    - {objective.name: dpo, objective.beta: 5e-1}\n").count == 3)
    #expect(throws: SweepError.self) {
      try cells(yaml + "    - {objective.name: gpo}\n")
    }
  }

  @Test("an arm is what no replicate is")
  func arms() throws {
    let grid = try Grid(
      block("vary: {train.seed: [1, 2], train.shuffle: [true, false], replicates: [shuffle]}")
    ) { _ in nil }
    #expect(grid.replicates == ["train.seed", "train.shuffle"])
    #expect(Set(grid.cells.map(grid.arm)) == ["recipe"])
  }

  @Test("a flag replaces the recipe's axis of its name")
  func flags() throws {
    #expect(try cells("vary: {seed: [1, 2, 3]}", flags: ["seed=7,8"]) == ["seed=7", "seed=8"])
  }

  @Test("the recipe in docs has eight points and a baseline among its arms")
  func example() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let path = root.appendingPathComponent("docs/recipes/ablation.yaml").path
    let block = try VaryBlock(try #require(try RecipeFile(path: path).vary), path: path)
    let grid = try Grid(block) { _ in nil }
    #expect(grid.cells.count == 8)
    #expect(grid.replicates == ["train.seed"])
    #expect(Set(grid.cells.map(grid.arm)).contains(try #require(block.baseline)))
  }

  @Test(
    "mistakes are errors",
    arguments: [
      "vary: {objektive.name: [a, b]}", "vary: {lr: [1, 2], learning_rate: [1, 2]}",
      "vary: {seed: {values: [1], when: {objective.name: sppo}}}",
      "vary: {beta: {values: [1], when: {lr: 1}}, lr: {values: [1], when: {beta: 1}}}",
      "vary: {threads: [1, 2]}", "vary: [1, 2]", "vary: {seed: {from: 1}}",
      "vary: {seed: [1], replicates: [lr]}", "vary: {seed: [[1]]}",
      "vary: {seed: [1], sets: [{seed: 2}]}",
      "vary: {seed: 1..1000, train.seed: 1..1000}",
    ])
  func mistakes(yaml: String) {
    #expect(throws: SweepError.self) { try cells(yaml) }
  }

  @Test("the nearest setting is named, with the line")
  func nearest() throws {
    let error = #expect(throws: SweepError.self) {
      try cells("model: m\nvary:\n  train.lerning_rate: [1, 2]\n")
    }
    let text = "\(try #require(error))"
    #expect(text.hasPrefix("r.yaml:3: "), "\(text)")
    #expect(text.contains("train.learning_rate"))
  }
}

@Suite("File lock") struct FileLockTests {
  @Test("one holder at a time; gone with its holder; a folder in use is a clear error")
  func exclusive() throws {
    let work = try WorkFolder()
    let path = work.file("x.lock")
    var first = try FileLock.attempt(path)
    #expect(first != nil)
    #expect(try FileLock.attempt(path) == nil)
    first = nil
    #expect(try FileLock.attempt(path) != nil)
    let held = try FileLock.ofFolder(work.path)
    let error = #expect(throws: RunError.self) { try FileLock.ofFolder(work.path) }
    #expect(error == .busy(folder: work.path))
    withExtendedLifetime(held) {}
  }
}
