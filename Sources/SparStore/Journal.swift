import Foundation

/// Finished work, a line each, beside the file that it will become.
///
/// Append-only and synced line by line, so whatever was finished before a kill is found again; a
/// half-written last line is dropped.  The first line names the work by a key.  A journal of other
/// settings is not resumed: with finished work in it, it is set aside under its key, and taken up
/// again by who comes back with those settings.
public final class Journal {
  private let handle: FileHandle
  public let path: String
  /// Lines that an earlier, interrupted run of the same work left.
  public let resumed: [Data]

  private static let start = Data("{\"journal\":1,\"key\":\"".utf8)

  /// - Parameter keepsOthers: false replaces a journal of other settings: of work whose parts lie
  ///   outside the journal and are replaced as well.
  /// - Throws: `JournalError` where `path` is a file that is no journal, or cannot be written.
  public init(path: String, key: String, keepsOthers: Bool = true) throws {
    self.path = path
    let header = Self.start + Data("\(key)\"}".utf8)
    var content = try Self.content(path)
    if keepsOthers, !content.starts(with: header + [0x0A]) {
      if let other = Self.key(content) {
        try Self.move(path, to: Self.aside(path, other))
        content = Data()
      }
      let own = Self.aside(path, key)
      let found = try Self.content(own)
      if found.starts(with: header + [0x0A]) {
        try Self.move(own, to: path)
        content = found
      }
    }
    var kept: [Data] = []
    var keptBytes = 0
    if content.starts(with: header + [0x0A]), let end = content.lastIndex(of: 0x0A) {
      kept = content[...end].split(separator: 0x0A).dropFirst().map { Data($0) }
      keptBytes = end + 1 - content.startIndex
    }
    resumed = kept
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw JournalError(path: path, .system(errno)) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.truncate(atOffset: UInt64(keptBytes))
    try handle.seekToEnd()
    if keptBytes == 0 { try append(header) }
  }

  /// The bytes of a journal; empty where there is no file.
  private static func content(_ path: String) throws -> Data {
    guard FileManager.default.fileExists(atPath: path) else { return Data() }
    let content = try Data(contentsOf: URL(fileURLWithPath: path))
    // Killed at the very start, it holds less than that.
    guard content.starts(with: start) || start.starts(with: content) else {
      throw JournalError(path: path, .foreign)
    }
    return content
  }

  /// The key of a journal with finished work; nil where there is none to lose.
  private static func key(_ content: Data) -> String? {
    guard let end = content.firstIndex(of: 0x0A), content[(end + 1)...].contains(0x0A) else {
      return nil
    }
    return String(decoding: content[..<end].dropFirst(start.count).dropLast(2), as: UTF8.self)
  }

  /// `answers.h5.journal.1f0c3a9b`.
  private static func aside(_ path: String, _ key: String) -> String {
    "\(path).\(key.filter { $0.isLetter || $0.isNumber }.prefix(8))"
  }

  private static func move(_ path: String, to other: String) throws {
    guard rename(path, other) == 0 else { throw JournalError(path: other, .system(errno)) }
  }

  /// Adds one line (without newlines inside) and waits until it is on disk.
  public func append(_ line: Data) throws {
    do {
      try handle.write(contentsOf: line + [0x0A])
      try handle.synchronize()
    } catch {
      throw JournalError(path: path, .system(errno))
    }
  }

  /// The work is complete and stands in its final file.
  public func remove() throws {
    try handle.close()
    try FileManager.default.removeItem(atPath: path)
  }
}

public struct JournalError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    case system(Int32)
    /// The file holds something else, which would be lost.
    case foreign
  }

  public var path: String
  public var reason: Reason

  init(path: String, _ reason: Reason) {
    self.path = path
    self.reason = reason
  }

  public var description: String {
    switch reason {
    case .system(let code):
      "cannot write \(path): \(String(cString: strerror(code))); "
        + "what was finished so far is kept: free some space or choose another output and run again"
    case .foreign:
      "\(path) is there and no journal of unfinished work; name another file, or move this one away"
    }
  }
}
