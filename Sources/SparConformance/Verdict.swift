/// How one test of one plugin ended.
public enum Verdict: Equatable, Sendable, Codable {
  /// `note`: what was done, where that is not plain from the test's sentence.
  case passed(note: String?)
  case failed(reason: String)
  /// The law does not concern this component, or cannot be tried here.
  case skipped(reason: String)
  /// Not a breach of the contract, but users will suffer.
  case warning(reason: String)
  /// The test's process was ended by a signal, such as 11, while `doing`.
  case crashed(signal: Int32, doing: String)
  /// Killed after so many seconds.
  case hung(seconds: Double, doing: String)

  /// The verdict's name: what `--json` and the texts call it.
  public var name: String {
    switch self {
    case .passed: "passed"
    case .failed: "failed"
    case .skipped: "skipped"
    case .warning: "warning"
    case .crashed: "crashed"
    case .hung: "hung"
    }
  }

  /// Whether a plugin with this verdict does not conform.
  public var isFailure: Bool {
    switch self {
    case .passed, .skipped, .warning: false
    case .failed, .crashed, .hung: true
    }
  }

  /// What there is to say beyond the name; nil for a plain pass.
  public var detail: String? {
    switch self {
    case .passed(let note): note
    case .failed(let reason), .skipped(let reason), .warning(let reason): reason
    case .crashed(let signal, let doing):
      "signal \(signal), \(signalName(signal)), while \(doing)"
    case .hung(let seconds, let doing): "gave no answer in \(brief(seconds)) s, while \(doing)"
    }
  }
}

/// A law that the plugin broke, with the evidence.
struct Violation: Error {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

/// Why a test has nothing to say about a component.
struct NotApplicable: Error {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

/// Throws the violation unless `holds`.
func require(_ holds: Bool, _ reason: @autoclosure () -> String) throws {
  if !holds { throw Violation(reason()) }
}
