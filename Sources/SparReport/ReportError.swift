import Foundation

/// A report that cannot be made.
public enum ReportError: Error, Equatable, Sendable, CustomStringConvertible {
  case neither(path: String, sweepInside: String?)
  case missing(path: String)
  case mixed(sweep: String)
  case twice(path: String)
  case noPoints(path: String)
  case baseline(name: String, known: [String], nearest: String?)
  case format(output: String)

  public var description: String {
    switch self {
    case .neither(let path, _):
      return "\(path) is neither a sweep (no sweep.json) nor a run (no run.json)"
    case .missing(let path): return "there is no folder \(path)"
    case .mixed(let sweep):
      return "\(sweep) is a sweep; a report takes one sweep alone, or runs"
    case .twice(let path): return "\(path) is given twice"
    case .noPoints(let path): return "\(path) has no points: there is nothing to report"
    case .baseline(let name, let known, let nearest):
      let guess = nearest.map { " (did you mean \"\($0)\"?)" } ?? ""
      return "there is no arm \"\(name)\"\(guess); known: "
        + known.map { "\"\($0)\"" }.joined(separator: ", ")
    case .format(let output):
      return "\(output) does not end in .html, .md or .csv"
    }
  }

  public var hint: String? {
    switch self {
    case .neither(let path, let inside):
      return inside.map { "give \(path)/\($0)" }
        ?? "`spar run` and `spar sweep` make such folders; give their output_dir"
    case .mixed: return "give the runs inside it instead: points/p01 points/p02 …"
    case .format: return "say --format html, markdown or csv"
    default: return nil
    }
  }

  /// What went wrong in a file, without its path.
  static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): return "\"\(key.stringValue)\" is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      return place.isEmpty ? "not the JSON that belongs here" : "\(place): wrong value"
    default:
      let cocoa = error as NSError
      guard let system = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError,
        system.domain == NSPOSIXErrorDomain
      else { return "\(error)" }
      return String(cString: strerror(Int32(system.code)))
    }
  }
}
