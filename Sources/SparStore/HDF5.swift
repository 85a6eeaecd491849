import CHDF5
import Foundation

/// Access to the HDF5 library, which is one global object: all calls are made under one lock.
enum HDF5 {
  private static let lock = NSRecursiveLock()

  /// A file whose last write failed (a full disk) cannot be closed, and HDF5 1.10 crashes when it
  /// tries again at exit. Spar closes what it opens, so that exit has nothing to do.
  private static let staysOutOfExit: Bool = H5dont_atexit() >= 0

  /// Runs `body` with the lock held and with HDF5's own printing of errors off.
  static func locked<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock.lock()
    defer { lock.unlock() }
    _ = staysOutOfExit
    spar_h5_be_quiet()  // a setting of the thread, and cheap
    return try body()
  }

  /// The reason for a failed call, from the error stack: the errno if the system was the cause.
  static func reason() -> StoreError.Reason {
    var stack = spar_h5_error_text()
    spar_h5_take_error(&stack)
    let outer = String(cString: spar_h5_outer(&stack))
    let inner = String(cString: spar_h5_inner(&stack))
    if let code = systemError(inner) { return .system(code) }
    let text = inner.isEmpty || inner == outer ? outer : "\(outer): \(inner)"
    return .hdf5(text: text.isEmpty ? "no reason given" : text)
  }

  /// HDF5 reports system errors as text: "file write failed: …, errno = 28, error message = …".
  private static func systemError(_ text: String) -> Int32? {
    guard let mark = text.range(of: "errno = ") else { return nil }
    return Int32(text[mark.upperBound...].prefix { $0.isNumber })
  }
}

/// Where errors come from: the file and what is being done with it.
struct HDF5Context: Sendable {
  var path: String
  var doing: String

  func error(_ reason: StoreError.Reason) -> StoreError {
    StoreError(path: path, doing: doing, reason)
  }

  /// Passes an id or a non-negative status on; a negative one becomes the error.
  @discardableResult
  func check<Status: SignedInteger>(_ status: Status) throws(StoreError) -> Status {
    if status < 0 { throw error(HDF5.reason()) }
    return status
  }
}
