import Foundation
import SparHost
import SparTraining
import Testing

@Suite("Interrupted training", .enabled(if: Golden.folder != nil, Golden.absent))
struct ResumeTests {
  private func options() -> TrainingOptions {
    var options = TrainingOptions()
    options.learningRate = 1e-3
    options.perDeviceBatch = 2
    options.epochs = 2
    options.loggingSteps = 3
    options.saveSteps = 2
    options.optimizer = .adamw
    options.weightDecay = 0.1
    return options
  }

  private func trainer(
    _ model: TrainableModel, _ options: TrainingOptions, _ output: String, beta: String = "0.001"
  ) throws -> Trainer {
    try Trainer(
      model, objective: SquareObjective(), objectiveIdentity: ["objective.beta": beta],
      groups: randomGroups(5), options: options, scale: MetricScale(beta: 1e-3, lossFactor: 1e-6),
      output: output)
  }

  /// Runs until `steps` steps are done in this call, then cancels.
  private func run(_ trainer: Trainer, steps: Int) throws {
    var done = 0
    #expect(throws: TrainingError.self) {
      _ = try trainer.run(
        progress: { if $0.unit == "steps" { done += 1 } }, isCancelled: { done >= steps })
    }
  }

  @Test("a run that was cancelled and resumed ends with the very same bits and log")
  func resumed() throws {
    let (whole, parts) = (try temporaryFolder(), try temporaryFolder())
    let model = try Golden.tinyModel()
    let result = try trainer(model, options(), whole).run()
    #expect(result.steps == 6)
    for steps in [1, 2] {
      try run(trainer(Golden.tinyModel(), options(), parts), steps: steps)
    }
    let last = try Golden.tinyModel()
    let resumed = try trainer(last, options(), parts).run()
    #expect(resumed.newSteps == 3)
    #expect(bits(last) == bits(model))
    #expect(resumed.history.map(\.reproducible) == result.history.map(\.reproducible))
  }

  @Test("a run that was killed between checkpoints repeats the lost steps, not their log lines")
  func killed() throws {
    let (whole, parts) = (try temporaryFolder(), try temporaryFolder())
    let model = try Golden.tinyModel()
    let result = try trainer(model, options(), whole).run()
    // A kill leaves an older checkpoint, later log lines, half a line and a temporary file.
    try run(trainer(Golden.tinyModel(), options(), parts), steps: 2)
    let later = try #require(
      FileManager.default.contents(atPath: whole + "/metrics.jsonl"))
    try (later + Data("{\"loss\":1".utf8)).write(to: URL(fileURLWithPath: parts + "/metrics.jsonl"))
    let rest = parts + "/step-3.h5.tmp-77"
    try Data("half".utf8).write(to: URL(fileURLWithPath: rest))
    let last = try Golden.tinyModel()
    let resumed = try trainer(last, options(), parts).run()
    #expect(bits(last) == bits(model))
    #expect(resumed.history.map(\.reproducible) == result.history.map(\.reproducible))
    #expect(!FileManager.default.fileExists(atPath: rest))
  }

  @Test("a damaged newest checkpoint is passed over for an older one")
  func damaged() throws {
    let (whole, parts) = (try temporaryFolder(), try temporaryFolder())
    let model = try Golden.tinyModel()
    _ = try trainer(model, options(), whole).run()
    try run(trainer(Golden.tinyModel(), options(), parts), steps: 3)
    let newest = try Data(contentsOf: URL(fileURLWithPath: parts + "/step-3.h5"))
    try newest.prefix(2000).write(to: URL(fileURLWithPath: parts + "/step-3.h5"))
    let last = try Golden.tinyModel()
    #expect(try trainer(last, options(), parts).run().newSteps == 4)
    #expect(bits(last) == bits(model))
  }

  @Test("when every checkpoint is damaged the run refuses to start anew")
  func allDamaged() throws {
    let output = try temporaryFolder()
    try Data("not hdf5".utf8).write(to: URL(fileURLWithPath: output + "/step-2.h5"))
    let error = #expect(throws: TrainingError.self) {
      try trainer(Golden.tinyModel(), options(), output).run()
    }
    #expect("\(try #require(error))".contains("step-2.h5"))
  }

  @Test("other options than the checkpoint's are refused by name")
  func mismatch() throws {
    let output = try temporaryFolder()
    try run(trainer(Golden.tinyModel(), options(), output), steps: 1)
    var other = options()
    other.learningRate = 2e-3
    let byOption = #expect(throws: TrainingError.self) {
      try trainer(Golden.tinyModel(), other, output).run()
    }
    #expect("\(try #require(byOption))".contains("learning_rate = 0.001"))
    let byObjective = #expect(throws: TrainingError.self) {
      try trainer(Golden.tinyModel(), options(), output, beta: "0.01").run()
    }
    #expect("\(try #require(byObjective))".contains("objective.beta = 0.001"))
    var free = options()
    free.saveSteps = 1
    #expect(try trainer(Golden.tinyModel(), free, output).run().steps == 6)
  }

  @Test("the limit keeps the newest checkpoints")
  func limit() throws {
    let output = try temporaryFolder()
    var options = options()
    options.saveSteps = 1
    options.saveTotalLimit = 2
    let result = try trainer(Golden.tinyModel(), options, output).run()
    let kept = try FileManager.default.contentsOfDirectory(atPath: output)
      .filter { $0.hasPrefix("step-") }.sorted()
    #expect(kept == ["step-5.h5", "step-6.h5"])
    #expect(result.checkpoint == output + "/step-6.h5")
    let again = try trainer(Golden.tinyModel(), options, output).run()
    #expect(again.newSteps == 0)
    #expect(again.checkpoint == result.checkpoint)
    #expect(again.history == result.history)
  }

  @Test("an update that is not finite is not made")
  func notFinite() throws {
    struct Broken: TrainingObjective {
      let needs = SquareObjective().needs
      let metricNames: [String] = []
      func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
        BatchDerivative(
          loss: batch.logp.map { _ in .infinity }, dlogp: batch.logp.map { _ in 0 },
          dtokLogp: nil, metricSum: [], metricWeight: [])
      }
    }
    let model = try Golden.tinyModel()
    let before = bits(model)
    let trainer = try Trainer(
      model, objective: Broken(), groups: randomGroups(2), output: temporaryFolder())
    let error = #expect(throws: TrainingError.self) { try trainer.run() }
    #expect(
      error == .notFinite(what: "loss", value: .infinity, step: 1, lastCheckpoint: nil))
    #expect(bits(model) == before)
  }
}
