import Glibc

/// A weight file that cannot be used, with the evidence.
public struct WeightError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    /// A system call failed with this `errno`.
    case system(doing: String, errno: Int32)
    /// The file breaks its format.
    case malformed(String)
    /// The file is well formed as far as it goes, but too short.
    case truncated(what: String, needs: Range<Int>, fileBytes: Int)
    /// Files that the index of a folder names.
    case missingShards([String], of: Int)
    case absent(tensor: String, near: [String])
    case unreadableType(tensor: String, type: String, known: [String])
    /// A quantised type cannot hold a tensor's values.
    case unencodable(tensor: String, type: WeightType)
    case size(tensor: String, expected: Int, found: Int)
    /// The model is of a kind that this reader does not know.
    case unsupported(String)
  }
  public var path: String
  public var reason: Reason

  public init(_ path: String, _ reason: Reason) {
    self.path = path
    self.reason = reason
  }
}

extension WeightError: CustomStringConvertible {
  public var description: String {
    switch reason {
    case .system(let doing, let code):
      let cure =
        code == ENOENT
        ? " (check the path)" : code == EACCES ? " (check the permissions of the file)" : ""
      return "\(path): \(doing) failed: \(String(cString: strerror(code)))\(cure)"
    case .malformed(let what):
      return "\(path): \(what); the file is damaged or not what its name says"
    case .truncated(let what, let needs, let bytes):
      return "\(path): \(what) needs bytes \(needs.lowerBound)..\(needs.upperBound), "
        + "the file has \(bytes): the file is truncated, download it again"
    case .missingShards(let names, let count):
      return "\(path): \(names.count) of \(count) weight files are missing: "
        + "\(names.joined(separator: ", ")); download them again"
    case .absent(let tensor, let near):
      let hint = near.isEmpty ? "" : "; nearest: \(near.joined(separator: ", "))"
      return "\(path): no tensor \(tensor)\(hint)"
    case .unreadableType(let tensor, let type, let known):
      return "\(path): tensor \(tensor) has type \(type); this build reads "
        + "\(known.joined(separator: ", ")): convert the file to one of these"
    case .unencodable(let tensor, let type):
      return "\(path): tensor \(tensor) holds NaN, infinity or values too large for \(type); "
        + "choose f32 or bf16"
    case .size(let tensor, let expected, let found):
      return "\(path): tensor \(tensor) has \(expected) values, the destination \(found)"
    case .unsupported(let what):
      return "\(path): \(what)"
    }
  }
}
