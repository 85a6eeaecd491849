/// An operation that a backend could not do.
public struct ComputeError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// The plugin returned this status and said why.
    case plugin(status: Int32, text: String?)
    /// Neither the plugin nor the reference does this combination of types and shapes.
    case unsupported(String)
  }
  public var reason: Reason
  public var operation: String
  public var backend: String

  public var description: String {
    switch reason {
    case .plugin(let status, let text):
      return "backend \(backend) failed in \(operation): \(text ?? "no message") (status \(status))"
        + "; try --backend reference to see whether the backend is at fault"
    case .unsupported(let what):
      return "backend \(backend) and the reference do not do \(operation) for \(what)"
    }
  }
}
