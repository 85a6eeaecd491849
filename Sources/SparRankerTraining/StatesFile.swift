import Foundation
import SparModel
import SparStore

/// States of a transformer that were computed once, for the next ranker that reads the same texts.
///
/// A line that names the model, then records of one size: the SHA-256 of a sequence's ids (hexadecimal)
/// and the state [C] at its last token, as the machine's floats.  Records are appended as they are
/// computed, so that an interrupted reading goes on; half a record at the end is dropped.
public final class StatesFile {
  public let path: String
  private let descriptor: Int32
  private let width: Int
  private var states: [String: [Float]] = [:]

  private static let keyBytes = 64

  /// Opens or makes the file for `model`.
  ///
  /// - Throws: `RankerTrainingError.states` where it is another model's, in use, or unwritable.
  public init(_ path: String, model: LanguageModel) throws(RankerTrainingError) {
    self.path = path
    width = model.config.hiddenSize
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    func problem(_ text: String) -> RankerTrainingError { .states(path: path, problem: text) }
    guard descriptor >= 0 else { throw problem(String(cString: strerror(errno))) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw problem("another process writes it; wait for that, or name another file")
    }
    // Backends round differently: what one computed is not what another would.
    let header = Data(
      "spar-states 1 \(width) \(model.backend.name) \(model.digest)\n".utf8)
    let content: Data
    do {
      content = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw problem("cannot be read")
    }
    let record = Self.keyBytes + 4 * width
    guard !content.isEmpty else {
      try write(header)
      return
    }
    guard content.starts(with: header) else {
      throw problem("was not made by this model on this backend; name another file")
    }
    let whole = (content.count - header.count) / record
    guard ftruncate(descriptor, off_t(header.count + whole * record)) == 0 else {
      throw problem(String(cString: strerror(errno)))
    }
    for n in 0..<whole {
      let start = header.count + n * record
      let key = String(decoding: content[start..<(start + Self.keyBytes)], as: UTF8.self)
      states[key] = content[(start + Self.keyBytes)..<(start + record)].withUnsafeBytes { bytes in
        (0..<width).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
    }
  }

  deinit { close(descriptor) }

  /// The name of the state after `ids`.
  static func key(_ ids: [Int32]) -> String {
    var digest = SHA256()
    ids.withUnsafeBytes { digest.update($0) }
    return digest.hexDigest()
  }

  subscript(key: String) -> [Float]? { states[key] }

  /// Keeps states [C] by their keys; those that are known already are left out.
  func add(_ found: [(key: String, state: [Float])]) throws(RankerTrainingError) {
    var bytes = Data()
    for (key, state) in found where states[key] == nil {
      states[key] = state
      bytes += Data(key.utf8)
      state.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    try write(bytes)
  }

  private func write(_ data: Data) throws(RankerTrainingError) {
    var code: Int32 = 0
    data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest)
        let count = Glibc.write(descriptor, piece.baseAddress, piece.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          code = errno
          return
        }
        rest = rest.dropFirst(count)
      }
    }
    if code != 0 { throw .states(path: path, problem: String(cString: strerror(code))) }
  }
}
