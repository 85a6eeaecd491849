import Glibc

/// A file or folder through which another user could change what we load.
public struct UnsafePath: Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    case owner(UInt32)
    /// Permission bits, such as 0o775.
    case writable(mode: UInt32)
  }
  public var path: String
  public var reason: Reason
}

/// The first part of `path` (absolute, without links) that does not belong to root or the
/// effective user, or that its group or others may write; nil when all are safe.  Sticky folders
/// such as /tmp are safe: only an entry's owner can replace it.
///
/// This stops accidents and other users, not the authors of plugins.
func unsafePart(of path: String) throws(SystemError) -> UnsafePath? {
  var part = path
  while true {
    var info = stat()
    guard lstat(part, &info) == 0 else { throw SystemError(code: errno) }
    if info.st_uid != 0, info.st_uid != geteuid() {
      return UnsafePath(path: part, reason: .owner(info.st_uid))
    }
    let isStickyFolder = info.st_mode & S_IFMT == S_IFDIR && info.st_mode & S_ISVTX != 0
    if info.st_mode & (S_IWGRP | S_IWOTH) != 0, !isStickyFolder {
      return UnsafePath(path: part, reason: .writable(mode: info.st_mode & 0o7777))
    }
    if part == "/" { return nil }
    part = parentDirectory(part)
  }
}
