import Foundation

/// What a test's process tells the one that started it, line by line: what it is about to do, and
/// in the end its verdict.  Whatever happens to it, the lines written so far remain.
public struct Journal: Sendable {
  /// Where a child finds its journal open.
  public static let descriptor: Int32 = 3

  enum Line: Codable, Equatable {
    case doing(String)
    case components([ComponentName])
    case verdict(Verdict)
  }

  private let descriptor: Int32

  /// The journal that the parent lent, or stdout for people who run the command by hand.
  public init() {
    descriptor = fcntl(Self.descriptor, F_GETFD) >= 0 ? Self.descriptor : STDOUT_FILENO
  }

  public func doing(_ what: String) { write(.doing(what)) }
  public func verdict(_ verdict: Verdict) { write(.verdict(verdict)) }
  public func components(_ names: [ComponentName]) { write(.components(names)) }

  private func write(_ line: Line) {
    do {
      var rest = Array(try JSONEncoder().encode(line))[...]
      rest.append(0x0A)
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
      }
    } catch {
      preconditionFailure("a journal line has no JSON: \(error)")
    }
  }

  /// The lines of a journal; a last line that was cut short is left out.
  static func read(_ content: Data) -> [Line] {
    content.split(separator: 0x0A).compactMap { line in
      do {
        return try JSONDecoder().decode(Line.self, from: line)
      } catch {
        return nil
      }
    }
  }
}
