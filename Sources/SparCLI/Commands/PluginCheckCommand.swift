import ArgumentParser
import Foundation
import SparConformance
import SparHost

extension PluginCommand {
  /// `spar plugin check`: does a library keep the plugin interface's laws?
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Try a plugin's library against the laws of the interface.",
      discussion: """
        Every test runs in a process of its own, so a plugin that crashes or hangs is a verdict. \
        Exit code 0: every file conforms; 1: some test failed, crashed or hung. Warnings and \
        skipped tests do not count. docs/plugin-check.md lists the tests.
        """)

    @Argument(help: "Libraries, such as libspar-mine.so.", completion: .file())
    var files: [String] = []

    @Option(help: "Only tests whose id starts with this, or contains this regular expression.")
    var only: String?

    @Option(help: "Of all random numbers; a failure repeats with its seed.")
    var seed: UInt64 = 1

    @Option(help: "Seconds that one test may take.")
    var timeout = 10.0

    @Option(help: "Tests at a time. (default: the cores)")
    var jobs: Int?

    @Option(
      name: .customLong("option"),
      help: "An option of the components, as in model=PATH; may be repeated.")
    var given: [String] = []

    @Flag(help: "Also measure how fast backends multiply.")
    var bench = false

    @Flag(help: "Run the tests in this process, for debuggers; a crash then ends it.")
    var inProcess = false

    @Flag(help: "List the tests and run none.")
    var list = false

    @Flag(help: "Print the result as JSON on stdout.")
    var json = false

    func validate() throws {
      guard !files.isEmpty || list else { throw ValidationError("name at least one library") }
      guard timeout > 0 else { throw ValidationError("--timeout must be above 0") }
      guard jobs ?? 1 >= 1 else { throw ValidationError("--jobs must be at least 1") }
    }

    func run() throws {
      let wants = try filter()
      if list { return try listTests(wants) }
      let options = try PluginTestOptions.parse(given)
      var reports: [FileReport] = []
      for name in files {
        let file = URL(fileURLWithPath: name).path
        let report =
          inProcess
          ? try checkHere(file, options, wants) : try check(file, options, wants)
        reports.append(report)
        guard !json else { continue }
        if reports.count > 1 { try Terminal.line("") }
        for line in report.lines { try Terminal.line(line) }
      }
      if json { try Terminal.json(reports.map(PluginCheckRow.init)) }
      if !reports.allSatisfy(\.conforms) { throw ExitCode(SparFailure.failed) }
    }

    private func filter() throws -> @Sendable (String) -> Bool {
      guard let only else { return { _ in true } }
      let known = (ConformanceTest.all + (bench ? [speedTest] : [])).map(\.id)
      let wanted: Set<String>
      do {
        let pattern = try Regex(only)
        wanted = Set(known.filter { $0.hasPrefix(only) || $0.contains(pattern) })
      } catch {
        throw UsageError("--only \(only) is no regular expression: \(error)")
      }
      guard !wanted.isEmpty else {
        throw UsageError(
          "no test matches --only \(only)", hint: "`spar plugin check --list` shows all ids")
      }
      return { wanted.contains($0) }
    }

    private func listTests(_ wants: (String) -> Bool) throws {
      let tests = ConformanceTest.all.filter { wants($0.id) }
      if json {
        return try Terminal.json(
          tests.map { ["id": $0.id, "scope": $0.scope.rawValue, "law": $0.sentence] })
      }
      for line in Terminal.columns(tests.map { [$0.id, $0.sentence] }) { try Terminal.line(line) }
    }

    private func check(
      _ file: String, _ options: [String: String], _ wants: @escaping @Sendable (String) -> Bool
    ) throws -> FileReport {
      var check = ConformanceCheck(
        file: file,
        program: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path)
      check.options = options
      check.seed = seed
      check.timeout = timeout
      check.jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
      check.wants = wants
      check.measuresSpeed = bench
      check.cancelled = { Interrupts.interruption.isRequested }
      let line = ProgressLine()
      defer { line.finish() }
      let show = line.stage(URL(fileURLWithPath: file).lastPathComponent)
      let start = Date()
      check.progress = { done, total in
        guard Date().timeIntervalSince(start) > 2 else { return }
        show(
          SparHost.Progress(stage: "check", done: Double(done), total: Double(total), unit: "tests")
        )
      }
      return try check.run()
    }

    private func checkHere(
      _ file: String, _ options: [String: String], _ wants: (String) -> Bool
    ) throws -> FileReport {
      let lend = PluginTestOptions.extensions(options)
      func subject(_ name: ComponentName?) -> Subject {
        Subject(file: file, name: name, options: options, seed: seed, lend: lend)
      }
      var results: [TestResult] = []
      func run(_ test: ConformanceTest, _ name: ComponentName?) {
        guard wants(test.id) else { return }
        let start = Date()
        let verdict = test.verdict(on: subject(name))
        results.append(
          TestResult(
            test: test.id, component: name, verdict: verdict,
            seconds: Date().timeIntervalSince(start)))
      }
      for test in ConformanceTest.all where test.scope == .library { run(test, nil) }
      for name in try components(of: subject(nil)) {
        for test in ConformanceTest.all + (bench ? [speedTest] : [])
        where test.concerns(kind: name.kind) {
          run(test, name)
        }
      }
      return FileReport(file: file, seed: seed, results: results)
    }
  }
}

/// A file's report as JSON.
private struct PluginCheckRow: Encodable {
  struct Result: Encodable {
    var test: String
    var component: String?
    var verdict: String
    var detail: String?
    var seconds: Double
  }

  var file: String
  var seed: UInt64
  var conforms: Bool
  var results: [Result]

  init(_ report: FileReport) {
    file = report.file
    seed = report.seed
    conforms = report.conforms
    results = report.results.map {
      Result(
        test: $0.test, component: $0.component?.description, verdict: $0.verdict.name,
        detail: $0.verdict.detail, seconds: $0.seconds)
    }
  }
}
