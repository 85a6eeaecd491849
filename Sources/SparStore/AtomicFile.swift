import Glibc

/// Files that appear whole or not at all.
///
/// The content is written to `<name>.tmp-<pid>` beside the final name, synced, and renamed, and the
/// folder is synced: after a crash or a full disk the final name holds the old file or the new one,
/// never a part. On any error the temporary file is removed.
public enum AtomicFile {
  /// Lets `body` write the file at the temporary path it is given, then puts it in place.
  ///
  /// - Parameters:
  ///   - path: the final name; its folder must exist.
  ///   - doing: what is being written, for the error: "writing the candidates".
  public static func write(
    to path: String, doing: String = "writing", _ body: (_ temporary: String) throws -> Void
  ) throws {
    let temporary = "\(path).tmp-\(getpid())"
    do {
      try claim(temporary)
      try body(temporary)
      try sync(temporary, flags: O_RDONLY)
      try check(rename(temporary, path))
    } catch {
      // A library may hold on to a file that it could not write; its space is freed all the same.
      // Either call may fail because there is no file; the first error is the one to report.
      truncate(temporary, 0)
      unlink(temporary)
      throw attribute(error, to: path, temporary: temporary, doing: doing)
    }
    do {
      try sync(folder(of: path), flags: O_RDONLY | O_DIRECTORY)
    } catch {
      throw StoreError(path: path, doing: doing, .system(error.errno))
    }
  }

  /// Lets `body` write bytes through a sink, then puts the file in place.
  public static func writeBytes(
    to path: String, doing: String = "writing", _ body: (ByteSink) throws -> Void
  ) throws {
    try write(to: path, doing: doing) { temporary in
      let descriptor = open(temporary, O_WRONLY | O_TRUNC | O_CLOEXEC)
      try check(descriptor)
      let sink = ByteSink(descriptor: descriptor, path: path, doing: doing)
      do {
        try body(sink)
      } catch {
        close(descriptor)
        throw error
      }
      try check(close(descriptor))  // some file systems report a full disk only here
    }
  }

  private struct Failure: Error {
    var errno: Int32
  }

  private static func check(_ status: Int32) throws(Failure) {
    if status < 0 { throw Failure(errno: errno) }
  }

  /// Creates the temporary file now, so that the reason for a folder that cannot be written is the
  /// system's, whatever library writes the content.
  private static func claim(_ temporary: String) throws(Failure) {
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    try check(descriptor)
    close(descriptor)
  }

  private static func sync(_ path: String, flags: Int32) throws(Failure) {
    let descriptor = open(path, flags | O_CLOEXEC)
    try check(descriptor)
    defer { close(descriptor) }
    // EINVAL: the file system has no sync for this kind of file (some network mounts' folders).
    if fsync(descriptor) < 0, errno != EINVAL { throw Failure(errno: errno) }
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Errors name the file that the caller asked for, not the temporary one.
  private static func attribute(
    _ error: any Error, to path: String, temporary: String, doing: String
  ) -> any Error {
    switch error {
    case let failure as Failure:
      return StoreError(path: path, doing: doing, .system(failure.errno))
    case var known as StoreError where known.path == temporary:
      known.path = path
      return known
    default:
      return error
    }
  }
}

/// Sequential bytes to an open file. Not for use from several threads.
public struct ByteSink {
  let descriptor: Int32
  let path: String
  let doing: String

  /// Writes all bytes, in as many calls as the system needs.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let written = Glibc.write(descriptor, part.baseAddress, part.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw StoreError(path: path, doing: doing, .system(errno))
      }
      rest = rest.dropFirst(written)
    }
  }

  public func write(_ text: String) throws(StoreError) {
    let bytes = Array(text.utf8)
    do {
      try bytes.withUnsafeBytes { try write($0) }
    } catch let error as StoreError {
      throw error
    } catch {
      preconditionFailure("write throws StoreError only")
    }
  }
}
