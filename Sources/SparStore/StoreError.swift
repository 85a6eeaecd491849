import Glibc

/// A file that could not be written or read, with the evidence.
public struct StoreError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    /// A system call failed with this `errno`.
    case system(Int32)
    /// The file is not HDF5, or damaged, or the library refused; `text` is its error stack.
    case hdf5(text: String)
    /// Another file of Spar, or a version of it that this build does not read.
    case schema(found: String, supported: String)
    /// A dataset, group or attribute that should be there.
    case absent(String)
    case type(of: String, expected: String, found: String)
    case shape(of: String, expected: [Int], found: [Int])
    /// Values that contradict one another.
    case invalid(String)
  }
  public var path: String
  /// "writing the candidates", without a full stop.
  public var doing: String
  public var reason: Reason

  public init(path: String, doing: String, _ reason: Reason) {
    self.path = path
    self.doing = doing
    self.reason = reason
  }
}

extension StoreError: CustomStringConvertible {
  public var description: String { "\(doing) \(path): \(explanation)" }

  private var explanation: String {
    switch reason {
    case .system(let code):
      return Self.message(code) + Self.cure(code)
    case .hdf5(let text):
      return "HDF5 refused: \(text)" + Self.cure(text)
    case .schema(let found, let supported):
      return "found \(found), this build reads \(supported): "
        + "give the file of that kind, or make it again with this build"
    case .absent(let name):
      return "no \(name) in it: the file is not complete, make it again"
    case .type(let name, let expected, let found):
      return "\(name) holds \(found), expected \(expected)"
    case .shape(let name, let expected, let found):
      return "\(name) has shape \(found), expected \(expected)"
    case .invalid(let what):
      return what
    }
  }

  /// HDF5's own words for the commonest damage, and what to do about it.
  private static func cure(_ text: String) -> String {
    if text.contains("truncated file") { return ": copy or make the file again" }
    if text.contains("file signature not found") { return ": this is not an HDF5 file" }
    return ""
  }

  private static func message(_ code: Int32) -> String { String(cString: strerror(code)) }

  private static func cure(_ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: ": free some space or choose another output folder; nothing was kept"
    case EACCES, EPERM, EROFS: ": choose an output folder that you may write to"
    case ENOENT: ": check that the file, and the folder it is in, exist"
    case ENOTDIR: ": a part of the path is a file, not a folder"
    case EISDIR: ": this is a folder, name a file"
    default: ""
    }
  }
}
