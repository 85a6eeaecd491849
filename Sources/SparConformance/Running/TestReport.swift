/// The verdict of one test on one component, or on the library (`component` nil).
public struct TestResult: Sendable, Equatable, Codable {
  public var test: String
  public var component: ComponentName?
  public var verdict: Verdict
  public var seconds: Double

  public init(test: String, component: ComponentName?, verdict: Verdict, seconds: Double) {
    self.test = test
    self.component = component
    self.verdict = verdict
    self.seconds = seconds
  }
}

/// All verdicts on one file.
public struct FileReport: Sendable, Equatable {
  public var file: String
  public var seed: UInt64
  public var results: [TestResult]

  public init(file: String, seed: UInt64, results: [TestResult]) {
    self.file = file
    self.seed = seed
    self.results = results
  }

  public var failures: [TestResult] { results.filter(\.verdict.isFailure) }
  public var conforms: Bool { failures.isEmpty }

  private func count(_ name: String) -> Int {
    results.count { $0.verdict.name == name }
  }

  /// "libspar-x.so conforms: 31 passed, 2 skipped".
  public var verdictLine: String {
    let names = ["passed", "failed", "crashed", "hung", "warning", "skipped"]
    let counts = names.filter { count($0) > 0 }.map { "\(count($0)) \($0)" }
    let word = conforms ? "conforms" : "does NOT conform"
    return "\(lastPathComponent(file)) \(word): \(counts.joined(separator: ", "))"
  }

  /// The report as lines: one a test, grouped by component, reason and cure below a failure.
  public var lines: [String] {
    var lines: [String] = ["\(file), seed \(seed)"]
    let width = results.map(\.test.count).max() ?? 0
    var group: ComponentName??
    var lastReason: String?
    for result in results {
      if group != .some(result.component) {
        group = .some(result.component)
        lines += ["", result.component.map { "\($0.kind) \($0.id)" } ?? "the library"]
      }
      let verdict = result.verdict
      let name = verdict.isFailure ? verdict.name.uppercased() : verdict.name
      let padded = result.test.padding(to: width)
      var line = "  \(name.padding(to: 8))\(padded)  "
      // A component that cannot be made is skipped again and again for one reason.
      let isRepeated = verdict.name == "skipped" && verdict.detail == lastReason
      line += isRepeated ? "for the same reason" : verdict.detail ?? ""
      lastReason = verdict.detail
      while line.last == " " { line.removeLast() }
      lines.append(line)
      let test = (ConformanceTest.all + [speedTest]).first { $0.id == result.test }
      if let test, verdict.isFailure || verdict.name == "warning" {
        lines.append("          law:  \(test.sentence)")
        lines.append("          cure: \(test.cure)")
      }
    }
    return lines + ["", verdictLine]
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}

func lastPathComponent(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
