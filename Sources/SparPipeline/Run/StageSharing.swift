import Foundation
import SparStore

/// How a run takes part in a store of stages.
public struct StageSharing: Sendable {
  public var store: StageStore
  /// How the store and the log call this run: "p01" of a sweep, or its folder.
  public var label: String
  /// A text file that gets a line for every stage that was computed or found; nil = none.
  public var log: String?

  public init(store: StageStore, label: String, log: String? = nil) {
    self.store = store
    self.label = label
    self.log = log
  }

  enum Action: String {
    case computed, reused
  }

  /// Appends one line, whole, whatever other processes write.
  func note(_ action: Action, _ address: StageAddress, seconds: Double) throws(RunError) {
    guard let log else { return }
    let time = Date.now.formatted(.iso8601)
    // Names may be longer, and are shown whole.
    let name = address.folderName
      .padding(toLength: max(28, address.folderName.count), withPad: " ", startingAt: 0)
    let cost = String(format: "%8.2f s", action == .computed ? seconds : 0)
    let done = action.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
    try StageLog.append("\(time)  \(done)  \(name)  \(cost)  \(label)", to: log)
  }
}

/// Lines of text that several processes append to one file.
public enum StageLog {
  public static func append(_ line: String, to path: String) throws(RunError) {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .folder(path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    let bytes = Array((line + "\n").utf8)
    // One call: the system then keeps lines of several processes apart.
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
      throw .folder(path: path, reason: String(cString: strerror(errno)))
    }
  }
}
