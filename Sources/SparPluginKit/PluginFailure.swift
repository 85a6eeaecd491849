import CSparPlugin

/// An error that a plugin returns to the host: a status and a sentence.
public struct PluginFailure: Error, CustomStringConvertible {
  public var status: spar_status
  /// nil: whoever was called has told the host already.
  public var text: String?

  public init(_ text: String, status: Int = Int(SPAR_E_INVALID)) {
    self.status = spar_status(status)
    self.text = text
  }

  /// Passes on the failure of a host function, which has set the thread's error text itself.
  public init(alreadyReported status: spar_status) {
    self.status = status
    self.text = nil
  }

  public var description: String { text ?? "status \(status)" }
}

/// Runs the body of a C function: no Swift error crosses the boundary.
///
/// A thrown error becomes the thread's error text at the host and a status: its own for
/// `PluginFailure`, `SPAR_E_INVALID` for any other.
public func guarded(
  _ host: UnsafePointer<spar_host>? = PluginHostLink.current, _ body: () throws -> Void
) -> spar_status {
  do {
    try body()
    return spar_status(SPAR_OK)
  } catch let failure as PluginFailure {
    if let host, let text = failure.text { host.pointee.set_error(host, text) }
    return failure.status
  } catch {
    if let host { host.pointee.set_error(host, "\(error)") }
    return spar_status(SPAR_E_INVALID)
  }
}
