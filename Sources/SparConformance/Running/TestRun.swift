import Glibc
import SparHost

extension ConformanceTest {
  /// The test called `id`, the one of speed included.
  public static func named(_ id: String) -> ConformanceTest? {
    (all + [speedTest]).first { $0.id == id }
  }

  /// Runs the test in this process.  A plugin that crashes or exits takes the process with it.
  public func verdict(on subject: Subject) -> Verdict {
    do {
      return .passed(note: try run(subject))
    } catch let refusal as NotApplicable {
      return .skipped(reason: refusal.reason)
    } catch let violation as Violation {
      return fault(violation.reason)
    } catch {
      return fault("\(error)")
    }
  }

  /// What a breach of this test's law is called.
  func fault(_ reason: String) -> Verdict {
    isAdvice ? .warning(reason: reason) : .failed(reason: reason)
  }

  /// A crash or a hang, seen from outside.
  func softened(_ verdict: Verdict) -> Verdict {
    guard isAdvice, verdict.isFailure else { return verdict }
    return .warning(reason: "\(verdict.name): \(verdict.detail ?? "")")
  }
}

/// The components of a library, in the order of its table.
public func components(of subject: Subject) throws -> [ComponentName] {
  let host = try subject.load()
  return PluginKind.allCases.flatMap { kind in
    host.components(kind).filter { $0.library.path != nil }.map {
      ComponentName(kind: kind.rawValue, id: $0.id)
    }
  }
}
