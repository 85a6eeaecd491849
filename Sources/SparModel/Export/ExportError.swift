import Foundation

/// A model that cannot be written, with the evidence.
public enum ExportError: Error, Equatable, Sendable, CustomStringConvertible {
  case exists(path: String)
  case space(path: String, needed: Int, free: Int)
  /// A finished file that could not take its place.
  case notMoved(from: String, to: String, problem: String)
  /// By the user.
  case interrupted
  /// The format, or the programs that read it, have no place for this.
  case cannot(path: String, format: String, what: String, cure: String)

  public var description: String {
    switch self {
    case .exists(let path):
      return "\(path) exists; give --overwrite to replace it"
    case .notMoved(let from, let to, let problem):
      return "\(from) could not take the place of \(to): \(problem); what was written is in "
        + (from as NSString).deletingLastPathComponent
    case .interrupted:
      return "nothing was written"
    case .space(let path, let needed, let free):
      return
        "\(path): \(needed / 1_000_000) MB are to be written, \(free / 1_000_000) MB are free; "
        + "free some space, choose another place or a narrower type; nothing was written"
    case .cannot(let path, let format, let what, let cure):
      return "\(path) cannot be written as \(format): \(what); \(cure)"
    }
  }
}
