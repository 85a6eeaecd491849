import Foundation
import SparPipeline
import SparStore

/// Runs the points of a plan, each in a process of its own, several at a time.
///
/// Stages that several points need are computed first, once, by processes of their own, so that no
/// point waits for another while it holds a place.  A point that fails is written down and the
/// others go on.  What is finished is found again when the same sweep is run again.
public final class SweepRun {
  public struct Options: Sendable {
    /// Processes at a time.
    public var jobs = 1
    /// For all of them together.
    public var threads = 1
    /// The executable of `spar`, and what every `spar run` is told besides: plugin paths.
    public var program = ""
    public var arguments: [String] = []

    public init() {}
  }

  public let plan: SweepPlan
  public private(set) var record: SweepRecord
  /// How many processes memory allows.
  public let jobs: Int
  private let options: Options
  private let store: StageStore
  private let costs: StageCosts
  private let interruption: Interruption
  private let observe: (RunProgress.Snapshot) -> Void
  private let lock: FileLock

  private var tasks: [SweepTask] = []
  private var waiting: [Int] = []
  private var running: [ChildRun] = []
  private var stored: Set<StageAddress> = []
  /// Estimated seconds of finished tasks, and what they really took.
  private var finishedEstimate = 0.0
  private let start = ContinuousClock.now

  /// Opens or makes the sweep's folder; throws when it holds another sweep, or when memory does
  /// not allow one point.
  public init(
    _ plan: SweepPlan, recipe: String, command: [String], costs: StageCosts, options: Options,
    interruption: Interruption, observe: @escaping (RunProgress.Snapshot) -> Void
  ) throws {
    self.plan = plan
    self.costs = costs
    self.options = options
    self.interruption = interruption
    self.observe = observe
    jobs = try Self.jobs(plan, wanted: options.jobs)
    let folder = RunDirectory(plan.folder)
    try folder.create()
    lock = try FileLock.ofFolder(folder.root, patience: 2)
    store = try StageStore(folder.root + "/stages")
    record = plan.record(recipe: recipe, command: command)
    if let earlier = try SweepRecord.read(folder.root) {
      let changes = record.differences(from: earlier)
      guard changes.isEmpty else {
        throw SweepError.changed(file: SweepRecord.path(folder.root), changes: changes)
      }
      let known = Dictionary(earlier.points.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
      for index in record.points.indices {
        record.points[index].seconds = known[record.points[index].id]?.seconds
      }
    }
  }

  /// As many as asked for, as far as memory goes.
  static func jobs(_ plan: SweepPlan, wanted: Int) throws -> Int {
    let needed = plan.points.map { PointMemory.bytes($0.resolved.recipe, $0.plan) }.max() ?? 1
    let memory = PointMemory.machine
    guard needed <= memory.total else {
      throw SweepError.memory(needed: needed, present: memory.total)
    }
    return max(1, min(wanted, Int(memory.available / needed)))
  }

  /// Runs what is not done; returns the record as it is at the end, failures included.
  public func run() throws -> SweepRecord {
    defer { withExtendedLifetime(lock) {} }
    try prepare()
    do {
      while !waiting.isEmpty || !running.isEmpty {
        try startReady()
        usleep(50_000)
        try collect()
        show()
        if interruption.isRequested { break }
      }
    } catch {
      stopAll()
      throw error
    }
    stopAll()
    for index in record.points.indices where record.points[index].status == .running {
      record.points[index].status = .pending
    }
    try writeRecord()
    if interruption.isRequested {
      throw SweepError.interrupted(
        done: record.points.count { $0.status == .done }, of: record.points.count)
    }
    let work = plan.folder + "/work"
    if record.points.allSatisfy({ $0.status == .done }),
      FileManager.default.fileExists(atPath: work)
    {
      try FileManager.default.removeItem(atPath: work)
    }
    return record
  }

  private func prepare() throws {
    for (index, point) in plan.points.enumerated() {
      let folder = "\(plan.folder)/\(point.folder)"
      try RunDirectory(folder).create()
      try PointRecipe.write(point, to: folder + "/recipe.yaml")
      let isDone = try point.plan.isComplete(in: RunDirectory(folder), store: store)
      record.points[index].status = isDone ? .done : .pending
    }
    tasks = try SweepTask.list(
      plan, isDone: { record.points[$0].status == .done },
      isStored: { address in
        let isStored = try store.entry(address) != nil
        if isStored { stored.insert(address) }
        return isStored
      }, costs: costs)
    waiting = Array(tasks.indices)
    try writeRecord()
  }

  // MARK: - Processes

  private func isReady(_ index: Int) -> Bool { tasks[index].needs.isSubset(of: stored) }

  private func startReady() throws {
    while running.count < jobs, !interruption.isRequested,
      let next = waiting.first(where: isReady)
    {
      let ready = waiting.count(where: isReady)
      let places = min(jobs - running.count, ready)
      let free = options.threads - running.reduce(0) { $0 + $1.threads }
      try start(next, threads: max(1, free / places))
    }
  }

  private func start(_ index: Int, threads: Int) throws {
    waiting.removeAll { $0 == index }
    let task = tasks[index]
    let point = plan.points[task.point]
    let own = "\(plan.folder)/\(point.folder)"
    var folder = own
    var log = own + "/run.log"
    var arguments = ["run", own + "/recipe.yaml"]
    if case .stage(let stage) = task.work {
      // Apart from the point's folder, where the point itself may be at work by then.
      folder = "\(plan.folder)/work/\(stage.address.folderName)"
      log = folder + ".log"
      try RunDirectory(folder).create()
      arguments += ["--until", "\(stage.target)"]
    }
    arguments += [
      "--output_dir", folder, "--store", store.root, "--threads", "\(threads)", "--label",
      point.id, "--stage-log", plan.folder + "/sweep.log", "--child-of", "\(getpid())",
    ]
    if task.work == .point { record.points[task.point].status = .running }
    running.append(
      try ChildRun(
        task: index, threads: threads, program: options.program,
        arguments: arguments + options.arguments, log: log))
    try writeRecord()
  }

  private func collect() throws {
    for child in running {
      guard let result = child.result else { continue }
      running.removeAll { $0 === child }
      let task = tasks[child.task]
      finishedEstimate += task.seconds
      if result.isSuccess {
        if let address = task.gives { stored.insert(address) }
        if task.work == .point {
          record.points[task.point].status = .done
          record.points[task.point].seconds = child.elapsed
        }
      } else if !(interruption.isRequested && result.wasInterrupted) {
        fail(task, child.complaint(result))
      }
      try writeRecord()
    }
  }

  /// Every point that needs what failed has failed; the rest go on.
  private func fail(_ task: SweepTask, _ reason: String) {
    for user in task.users {
      record.points[user].status = .failed
      record.points[user].error = reason
    }
    let lost = Set(task.users)
    for index in waiting where !tasks[index].users.contains(where: { !lost.contains($0) }) {
      finishedEstimate += tasks[index].seconds
    }
    waiting.removeAll { index in tasks[index].users.allSatisfy(lost.contains) }
  }

  /// Children end by themselves when this process does; here they get the chance to write down
  /// what they have.
  private func stopAll() {
    for child in running { child.stop() }
    let deadline = ContinuousClock.now + .seconds(60)
    while running.contains(where: { $0.result == nil }), ContinuousClock.now < deadline {
      usleep(50_000)
    }
    running.removeAll()
  }

  // MARK: - Record and progress

  private func writeRecord() throws {
    record.stages = try plan.stages.compactMap { stage, users in
      guard let entry = try store.entry(stage.address) else { return nil }
      return .init(
        key: stage.address.digest, stage: stage.address.stage,
        path: "stages/\(stage.address.folderName)", computedBy: entry.computedBy,
        usedBy: users.map { plan.points[$0].id }, seconds: entry.seconds)
    }
    try record.write(to: plan.folder)
  }

  private func show() {
    let total = tasks.reduce(0) { $0 + $1.seconds }
    let underway = running.reduce(0) { sum, child in
      sum + tasks[child.task].seconds * (child.progress?.fraction ?? 0)
    }
    let done = finishedEstimate + underway
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    let points = record.points.count { $0.status == .done }
    let failed = record.points.count { $0.status == .failed }
    let current = running.map { child in
      let stage = child.progress.map {
        " "
          + ($0.label.split(separator: "·").last.map(String.init) ?? "").trimmingCharacters(
            in: .whitespaces)
      }
      return tasks[child.task].label(plan) + (stage ?? "")
    }
    observe(
      RunProgress.Snapshot(
        label: "\(points)/\(record.points.count) points"
          + (failed > 0 ? ", \(failed) failed" : ""),
        fraction: total > 0 ? min(1, done / total) : 0,
        stageFraction: running.first?.progress?.fraction ?? 0,
        detail: current.joined(separator: ", "), elapsed: elapsed,
        // Work that is done says how right the estimate is; before that the estimate itself.
        remaining: done > 0.02 * total ? elapsed / done * (total - done) : total))
  }
}
