import Foundation
import SparStore

/// The files of a run, by name.
///
///     <root>/run.json  report.md  base/heldout.h5
///     <root>/ranker/comparisons.jsonl  heldout.jsonl  train/ranker/  accuracy.json
///     <root>/iteration-<t>/prompts.jsonl  candidates.h5  preferences.h5  stages.json
///                          train/step-<N>.h5  train/metrics.jsonl  heldout.h5  evaluation.json
///                          evaluation-<ranker>.json
public struct RunDirectory: Equatable, Sendable {
  public var root: String

  public init(_ root: String) {
    // One spelling of every path: stages.json tells files relative to its folder.
    var root = root
    while root.count > 1, root.hasSuffix("/") { root.removeLast() }
    self.root = root
  }

  public var record: String { root + "/run.json" }
  public var report: String { root + "/report.md" }
  public var base: Folder { Folder(path: root + "/base") }

  /// Of the ranker that the run trains for itself.
  public var ranker: Folder { Folder(path: root + "/ranker") }

  /// - Parameter t: counts from 1.
  public func iteration(_ t: Int) -> Folder { Folder(path: root + "/iteration-\(t)") }

  /// The base model's folder or an iteration's.
  public struct Folder: Equatable, Sendable {
    public var path: String
    public var prompts: String { path + "/prompts.jsonl" }
    public var candidates: String { path + "/candidates.h5" }
    public var preferences: String { path + "/preferences.h5" }
    public var training: String { path + "/train" }
    public var heldout: String { path + "/heldout.h5" }
    public var evaluation: String { path + "/evaluation.json" }
    /// By another ranker than the run's.
    public func evaluation(by ranker: String) -> String { path + "/evaluation-\(ranker).json" }
    /// How a trained ranker does on comparisons held out.
    public var accuracy: String { path + "/accuracy.json" }
    public var ledger: String { path + "/stages.json" }

    public func create() throws(RunError) {
      try RunDirectory.create(path)
    }
  }

  public func create() throws(RunError) { try Self.create(root) }

  static func create(_ path: String) throws(RunError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .folder(path: path, reason: Self.reason(error))
    }
    // Found now, not after an hour of generation.
    guard FileManager.default.isWritableFile(atPath: path) else {
      throw .folder(path: path, reason: "not writable")
    }
  }

  private static func reason(_ error: any Error) -> String {
    let cocoa = error as NSError
    if let system = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError,
      system.domain == NSPOSIXErrorDomain
    {
      return String(cString: strerror(Int32(system.code)))
    }
    return cocoa.localizedDescription
  }
}
