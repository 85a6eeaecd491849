import Foundation

/// `spar plugin check` of one file: plans the tests, runs each in a process of its own, reports.
public struct ConformanceCheck {
  /// Absolute.
  public var file: String
  /// The program whose `plugin run-test` runs a test.
  public var program: String
  /// Options of components by name.
  public var options: [String: String] = [:]
  public var seed: UInt64 = 1
  /// Seconds that one test may take.
  public var timeout = 10.0
  /// Processes at a time.
  public var jobs = 1
  /// Which tests, by id.
  public var wants: @Sendable (String) -> Bool = { _ in true }
  /// Also measure how fast backends multiply.
  public var measuresSpeed = false
  public var cancelled: @Sendable () -> Bool = { false }
  /// Called after each test with how many are done, of how many.
  public var progress: (Int, Int) -> Void = { _, _ in }

  public init(file: String, program: String) {
    self.file = file
    self.program = program
  }

  /// All verdicts, in the order of the report.
  public func run() throws -> FileReport {
    guard let first = ConformanceTest.named("library.loads") else {
      throw CheckError("the list of tests lacks library.loads")
    }
    let loading = try runAll([order(first, nil)])[0]
    let opening = TestResult(
      test: first.id, component: nil, verdict: loading.verdict, seconds: loading.seconds)
    // A library that does not load concerns everybody, whatever they asked for.
    guard !loading.verdict.isFailure else { return unloadable(opening) }
    let planned = plan(loading.components)
    let endings = try runAll(planned)
    var results = wants(first.id) ? [opening] : []
    results += zip(planned, endings).map { order, ending in
      TestResult(
        test: order.test.id, component: order.component, verdict: ending.verdict,
        seconds: ending.seconds)
    }
    return FileReport(file: file, seed: seed, results: results)
  }

  /// The other tests would have nothing to work on.
  private func unloadable(_ opening: TestResult) -> FileReport {
    let rest = ConformanceTest.all.filter {
      $0.scope == .library && $0.id != opening.test && wants($0.id)
    }
    let skipped = rest.map {
      TestResult(
        test: $0.id, component: nil, verdict: .skipped(reason: "the library does not load"),
        seconds: 0)
    }
    return FileReport(file: file, seed: seed, results: [opening] + skipped)
  }

  private func plan(_ components: [ComponentName]) -> [ChildTest.Order] {
    var orders = ConformanceTest.all
      .filter { $0.scope == .library && $0.id != "library.loads" && wants($0.id) }
      .map { order($0, nil) }
    let tests = ConformanceTest.all + (measuresSpeed ? [speedTest] : [])
    for component in components {
      orders += tests.filter { $0.concerns(kind: component.kind) && wants($0.id) }
        .map { order($0, component) }
    }
    return orders
  }

  private func order(_ test: ConformanceTest, _ component: ComponentName?) -> ChildTest.Order {
    var arguments = ["plugin", "run-test", file, "--test", test.id, "--seed", "\(seed)"]
    if let component { arguments += ["--component", component.description] }
    for (name, value) in options.sorted(by: { $0.key < $1.key }) {
      arguments += ["--option", "\(name)=\(value)"]
    }
    return ChildTest.Order(test: test, component: component, arguments: arguments)
  }

  /// Runs up to `jobs` at a time; endings in the order of `orders`.
  private func runAll(_ orders: [ChildTest.Order]) throws -> [ChildTest.Ending] {
    var endings = [ChildTest.Ending?](repeating: nil, count: orders.count)
    var running: [(index: Int, child: ChildTest)] = []
    var next = 0
    var done = 0
    while done < orders.count {
      while running.count < max(jobs, 1), next < orders.count, !cancelled() {
        running.append((next, try ChildTest(orders[next], program: program)))
        next += 1
      }
      guard !running.isEmpty else { throw CheckError("stopped before all tests were run") }
      usleep(2000)
      running.removeAll { index, child in
        guard let ending = child.ending(timeout: timeout) else { return false }
        endings[index] = ending
        done += 1
        progress(done, orders.count)
        return true
      }
    }
    // Ctrl-C reaches the children, too: what they died of is not the plugin's fault.
    if cancelled() { throw CheckError("stopped before all tests were run") }
    return endings.compactMap { $0 }
  }
}
