import SparTraining
import Testing

@Suite("Schedules and steps") struct ScheduleTests {
  @Test("warm-up starts at 0 and decay ends above 0, as in Hugging Face's linear schedule")
  func linear() {
    var options = TrainingOptions()
    options.learningRate = 5e-7
    let schedule = LearningRateSchedule(options, total: 2480)
    #expect(schedule.warmup == 248)
    #expect(schedule.multiplier(0) == 0)
    // 5e-7/248: the first line of the authors' log.
    #expect(abs(options.learningRate * schedule.multiplier(1) - 2.016129e-9) < 1e-14)
    #expect(schedule.multiplier(248) == 1)
    #expect(schedule.multiplier(2479) == 1.0 / 2232)
    #expect(schedule.multiplier(2480) == 0)
  }

  @Test("warm-up rounds up, and steps win over the ratio")
  func warmup() {
    var options = TrainingOptions()
    #expect(LearningRateSchedule(options, total: 11).warmup == 2)
    options.warmupSteps = 5
    #expect(LearningRateSchedule(options, total: 11).warmup == 5)
  }

  @Test("a cosine is 1, 1/2 and 0 at the ends of its halves; a constant stays")
  func cosine() {
    let cosine = LearningRateSchedule(.cosine, warmup: 10, total: 110)
    #expect(cosine.multiplier(5) == 0.5)
    #expect(cosine.multiplier(10) == 1)
    #expect(abs(cosine.multiplier(60) - 0.5) < 1e-15)
    #expect(abs(cosine.multiplier(35) - 0.853_553_390_593_273_8) < 1e-15)
    #expect(abs(cosine.multiplier(110)) < 1e-15)
    let constant = LearningRateSchedule(.constant, warmup: 2, total: 10)
    #expect((0..<10).map { constant.multiplier($0) } == [0, 0.5] + Array(repeating: 1, count: 8))
  }

  @Test("every epoch deals every group once, in an order of its own, the last step smaller")
  func order() {
    let order = DataOrder(groups: 10, batchSize: 4, seed: 42)
    #expect(order.stepsPerEpoch == 3)
    let epochs = [0, 3, 6].map { first in (first..<(first + 3)).flatMap { order.batch($0) } }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<10)) }
    #expect(Set(epochs).count == 3)
    #expect(order.batch(2).count == 2)
    #expect(order.position(4) == 14)
    #expect(order.steps(epochs: 1.5) == 5)
    let plain = DataOrder(groups: 5, batchSize: 2, seed: 42, shuffle: false)
    #expect(Array(plain.batch(4)) == [2, 3])
  }

  @Test("accumulation multiplies the batch, and the schedule may outlast the run")
  func plan() {
    var options = TrainingOptions()
    options.perDeviceBatch = 2
    options.accumulationSteps = 4
    options.scheduleEpochs = 18
    let plan = StepPlan(groups: 17, options: options)
    #expect(plan.total == 3)
    #expect(plan.schedule.total == 54)
    #expect(plan.schedule.warmup == 6)
    #expect(plan.epoch(3) == 1)
    options.maxSteps = 7
    #expect(StepPlan(groups: 17, options: options).total == 7)
  }

  @Test("options that make no sense are refused by name")
  func validation() throws {
    func refused(_ key: String, _ change: (inout TrainingOptions) -> Void) {
      var options = TrainingOptions()
      change(&options)
      let error = #expect(throws: TrainingError.self) { try options.validate() }
      guard case .option(key, _, _)? = error else {
        Issue.record("\(key) was not named: \(String(describing: error))")
        return
      }
    }
    try TrainingOptions().validate()
    refused("learningRate") { $0.learningRate = -1 }
    refused("learningRate") { $0.learningRate = .nan }
    refused("alpha") { $0.alpha = 1 }
    refused("warmupRatio") { $0.warmupRatio = 1.5 }
    refused("perDeviceBatch") { $0.perDeviceBatch = 0 }
    refused("maxLength") { $0.maxLength = 512 }
    refused("epochs") { $0.epochs = 0 }
  }
}
