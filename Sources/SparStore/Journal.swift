import Foundation

/// Finished work, a line each, beside the file that it will become.
///
/// Append-only and synced line by line, so whatever was finished before a kill is found again; a
/// half-written last line is dropped.  The first line names the work by a key: a journal of other
/// settings is not resumed but replaced.
public final class Journal {
  private let handle: FileHandle
  public let path: String
  /// Lines that an earlier, interrupted run of the same work left.
  public let resumed: [Data]

  public init(path: String, key: String) throws {
    self.path = path
    let header = Data("{\"journal\":1,\"key\":\"\(key)\"}".utf8)
    var kept: [Data] = []
    var keptBytes = 0
    if FileManager.default.fileExists(atPath: path) {
      let content = try Data(contentsOf: URL(fileURLWithPath: path))
      var lines: [Data] = []
      var start = content.startIndex
      while let end = content[start...].firstIndex(of: 0x0A) {
        lines.append(content[start..<end])
        start = end + 1
      }
      if lines.first == header {
        kept = Array(lines.dropFirst())
        keptBytes = start - content.startIndex
      }
    }
    resumed = kept
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw JournalError(path: path, code: errno) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.truncate(atOffset: UInt64(keptBytes))
    try handle.seekToEnd()
    if keptBytes == 0 { try append(header) }
  }

  /// Adds one line (without newlines inside) and waits until it is on disk.
  public func append(_ line: Data) throws {
    do {
      try handle.write(contentsOf: line + [0x0A])
      try handle.synchronize()
    } catch {
      throw JournalError(path: path, code: errno)
    }
  }

  /// The work is complete and stands in its final file.
  public func remove() throws {
    try handle.close()
    try FileManager.default.removeItem(atPath: path)
  }
}

public struct JournalError: Error, CustomStringConvertible {
  public var path: String
  public var code: Int32

  public var description: String {
    "cannot write \(path): \(String(cString: strerror(code))); "
      + "what was finished so far is kept: free some space or choose another output and run again"
  }
}
