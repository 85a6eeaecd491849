import Foundation
import Glibc

/// Files and folders as the stage store needs them: shared between two places, linked, synced.
enum FileTree {
  /// Bytes of a regular file, links followed; nil where there is none.
  static func size(_ path: String) -> Int? {
    var info = stat()
    guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(info.st_size)
  }

  /// A link, whether or not it leads anywhere.
  static func isLink(_ path: String) -> Bool {
    var info = stat()
    return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFLNK
  }

  /// Something has this name, be it a link that leads nowhere.
  static func isTaken(_ path: String) -> Bool {
    var info = stat()
    return lstat(path, &info) == 0
  }

  /// Removes a file, a folder with all it holds, or a link; nothing there is fine.
  static func remove(_ path: String) throws {
    if isLink(path) {
      try check(Glibc.unlink(path), path, "cannot be removed")
    } else if isTaken(path) {
      try FileManager.default.removeItem(atPath: path)
    }
  }

  /// The regular files at or under `path`, as what follows `path`: "" for a file, "/a/b" in a
  /// folder.
  static func files(_ path: String) throws -> [String] {
    if size(path) != nil { return [""] }
    return try FileManager.default.subpathsOfDirectory(atPath: path).sorted().compactMap {
      size(path + "/" + $0) == nil ? nil : "/" + $0
    }
  }

  /// The same file under another name: a hard link where the file system can, else a copy.  Its
  /// content is on disk when this returns.
  static func share(_ path: String, as other: String) throws {
    let folder = (other as NSString).deletingLastPathComponent
    try RunDirectory.create(folder)
    try sync(path)
    if Glibc.link(path, other) == 0 { return }
    guard errno == EXDEV || errno == EPERM || errno == EMLINK || errno == ENOTSUP else {
      throw failure(other, "cannot be linked")
    }
    try FileManager.default.copyItem(atPath: path, toPath: other)
    try sync(other)
  }

  /// Makes `path` a relative link to `target`, in place of whatever stood there.
  static func link(_ path: String, to target: String) throws {
    let folder = try real((path as NSString).deletingLastPathComponent)
    let text = relative(try real(target), from: folder)
    let fresh = path + ".link"
    try remove(fresh)
    try check(Glibc.symlink(text, fresh), path, "cannot be linked")
    // A folder cannot be renamed over; what it holds is in the store already.
    if !isLink(path), isTaken(path), size(path) == nil { try remove(path) }
    try check(Glibc.rename(fresh, path), path, "cannot be linked")
  }

  static func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
    defer { close(descriptor) }
    if fsync(descriptor) < 0, errno != EINVAL { throw failure(path, "cannot be synced") }
  }

  /// Absolute, without links on the way.
  private static func real(_ path: String) throws -> String {
    guard let resolved = realpath(path.isEmpty ? "." : path, nil) else {
      throw failure(path, "cannot be found")
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Both absolute.
  static func relative(_ path: String, from folder: String) -> String {
    let (to, from) = (path.split(separator: "/"), folder.split(separator: "/"))
    let shared = zip(to, from).prefix { $0 == $1 }.count
    let parts = from.dropFirst(shared).map { _ in ".." } + to.dropFirst(shared).map(String.init)
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  private static func check(_ status: Int32, _ path: String, _ what: String) throws {
    if status != 0 { throw failure(path, what) }
  }

  private static func failure(_ path: String, _ what: String) -> RunError {
    .folder(path: path, reason: "\(what): \(String(cString: strerror(errno)))")
  }
}
