import Glibc

/// Catches what is written to descriptors of this process.
///
/// The text goes into an unlinked file, so a plugin that prints much never waits for a reader.
final class OutputCapture {
  private let descriptors: [Int32]
  private let saved: [Int32]
  private let file: Int32

  init(of descriptors: [Int32]) throws {
    var name = Array("/tmp/spar-check-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    guard file >= 0, fcntl(file, F_SETFD, FD_CLOEXEC) == 0 else {
      throw NotApplicable("no temporary file: \(systemText(errno))")
    }
    unlink(name)
    self.file = file
    self.descriptors = descriptors
    fflush(nil)
    saved = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
    for descriptor in descriptors { dup2(file, descriptor) }
  }

  /// Puts the descriptors back and returns what was written.
  func end() throws -> String {
    fflush(nil)
    for (descriptor, old) in zip(descriptors, saved) {
      dup2(old, descriptor)
      close(old)
    }
    defer { close(file) }
    let size = lseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: min(max(Int(size), 0), 1 << 16))
    let count = pread(file, &bytes, bytes.count, 0)
    guard count >= 0 else { throw NotApplicable("reading the output: \(systemText(errno))") }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}
