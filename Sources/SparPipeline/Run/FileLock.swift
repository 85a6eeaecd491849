import Foundation
import Glibc

/// An exclusive lock between processes, on a file that exists for this purpose alone.
///
/// It is the kernel's (`flock`): when its holder ends, however it ends, the lock is gone.
public final class FileLock {
  public let path: String
  private let descriptor: Int32

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The lock, or nil while another process has it.  Its folder must exist.
  public static func attempt(_ path: String) throws(RunError) -> FileLock? {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .folder(path: path, reason: String(cString: strerror(errno)))
    }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      if code == EWOULDBLOCK { return nil }
      throw .folder(path: path, reason: "cannot be locked: \(String(cString: strerror(code)))")
    }
    return FileLock(path: path, descriptor: descriptor)
  }

  /// Waits for the lock, asking `isCancelled` now and then; nil when that said yes.
  public static func wait(
    for path: String, isCancelled: () -> Bool
  ) throws(RunError) -> FileLock? {
    while true {
      if let lock = try attempt(path) { return lock }
      if isCancelled() { return nil }
      usleep(50_000)
    }
  }

  /// The lock of a folder that one process at a time may work in.
  ///
  /// - Parameter patience: seconds to wait for a process that is just ending.
  public static func ofFolder(_ folder: String, patience: Double = 0) throws(RunError) -> FileLock {
    let deadline = ContinuousClock.now + .seconds(patience)
    while true {
      if let lock = try attempt(folder + "/.lock") { return lock }
      guard ContinuousClock.now < deadline else { throw .busy(folder: folder) }
      usleep(20_000)
    }
  }
}
