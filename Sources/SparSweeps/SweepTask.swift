import SparPipeline

/// A piece of a sweep for one process: a stage that several points need, or a point's own rest.
struct SweepTask: Equatable {
  enum Work: Equatable {
    /// Computed for all its users, in the name of the first.
    case stage(RunPlan.Stage)
    case point
  }
  var work: Work
  /// Of the point whose recipe is run.
  var point: Int
  /// Shared stages that must be there first.
  var needs: Set<StageAddress>
  /// Points that cannot go on without it.
  var users: [Int]
  /// Estimate, with all threads.
  var seconds: Double

  /// The tasks of the points that are not done, shared stages first.
  ///
  /// A stage that one point alone needs is part of that point's task; a stage that stands in the
  /// store is no task.
  static func list(
    _ plan: SweepPlan, isDone: (Int) -> Bool, isStored: (StageAddress) throws -> Bool,
    costs: StageCosts
  ) rethrows -> [SweepTask] {
    var tasks: [SweepTask] = []
    var shared: Set<StageAddress> = []
    var own: [Int: Double] = [:]
    for (stage, everyone) in plan.stages {
      let users = everyone.filter { !isDone($0) }
      guard let first = users.first, try !isStored(stage.address) else { continue }
      let seconds = costs.seconds(stage, parameters: plan.points[first].plan.parameters)
      if users.count == 1 {
        own[first, default: 0] += seconds
        continue
      }
      tasks.append(
        SweepTask(
          work: .stage(stage), point: first, needs: shared.intersection(stage.inputs),
          users: users, seconds: seconds))
      shared.insert(stage.address)
    }
    for index in plan.points.indices where !isDone(index) {
      let addresses = plan.points[index].plan.stages.map(\.address)
      tasks.append(
        SweepTask(
          work: .point, point: index, needs: shared.intersection(addresses), users: [index],
          seconds: own[index] ?? 0))
    }
    return tasks
  }

  var gives: StageAddress? {
    if case .stage(let stage) = work { stage.address } else { nil }
  }

  func label(_ plan: SweepPlan) -> String {
    switch work {
    case .stage(let stage): "\(stage.address.stage) for \(users.count) points"
    case .point: plan.points[point].id
    }
  }
}
