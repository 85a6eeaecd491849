import Foundation

/// A file that is read by position.
final class FileBytes {
  let path: String
  let size: Int
  private let descriptor: Int32

  init(_ path: String) throws(DataError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DataError(path: path, what: String(cString: strerror(errno)), cure: "")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw DataError(path: path, what: "not a file", cure: "name a file, a folder or a pattern")
    }
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills the beginning of `buffer`; returns how much there was, 0 behind the end.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
        off_t(offset + done))
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw DataError(
          path: path, place: "byte \(offset + done)", what: String(cString: strerror(errno)),
          cure: "")
      }
      done += count
    }
    return done
  }
}
