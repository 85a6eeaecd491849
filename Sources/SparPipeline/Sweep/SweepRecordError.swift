/// A sweep.json that cannot be read.
public enum SweepRecordError: Error, Equatable, Sendable, CustomStringConvertible {
  case unreadable(file: String, problem: String)
  case schema(file: String, found: Int?, supported: Int)

  public var description: String {
    switch self {
    case .unreadable(let file, let problem): "\(file) is no record of a sweep: \(problem)"
    case .schema(let file, let found, let supported):
      "\(file) has schema \(found.map(String.init) ?? "(none)"), this program reads \(supported)"
    }
  }
}
