import Foundation
import SparStore

/// The place that an export goes to: checked before anything is written, filled whole or not at
/// all.
struct ExportTarget {
  let path: String
  let overwrite: Bool

  /// A final slash is dropped; the folder that the target is in is made.
  init(_ path: String, overwrite: Bool) throws {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    self.overwrite = overwrite
    let parent = (path as NSString).deletingLastPathComponent
    if !parent.isEmpty {
      try FileManager.default.createDirectory(
        atPath: parent, withIntermediateDirectories: true)
    }
  }

  /// Refuses a file that is there, and a disk that is too full.
  func checkFile(bytes: Int) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard overwrite, !isFolder.boolValue else { throw ExportError.exists(path: path) }
    }
    try checkSpace(bytes)
  }

  private func checkSpace(_ bytes: Int) throws {
    let parent = (path as NSString).deletingLastPathComponent
    let attributes = try FileManager.default.attributesOfFileSystem(
      forPath: parent.isEmpty ? "." : parent)
    guard let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue else { return }
    guard free > bytes else { throw ExportError.space(path: path, needed: bytes, free: free) }
  }

  /// Lets `body` fill a folder beside the target, which then takes the target's place.
  ///
  /// A folder that is there and not empty needs `overwrite`; its other files stay, its weights,
  /// which would contradict the new ones, go.
  func fillFolder(bytes: Int, _ body: (_ folder: String) throws -> Void) throws {
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    let exists = manager.fileExists(atPath: path, isDirectory: &isFolder)
    if exists {
      let holds = isFolder.boolValue ? try manager.contentsOfDirectory(atPath: path) : [path]
      guard isFolder.boolValue, holds.isEmpty || overwrite else {
        throw ExportError.exists(path: path)
      }
    }
    try checkSpace(bytes)
    let work = "\(path).tmp-\(ProcessInfo.processInfo.processIdentifier)"
    do {
      try manager.createDirectory(atPath: work, withIntermediateDirectories: false)
      try body(work)
    } catch {
      if manager.fileExists(atPath: work) { try manager.removeItem(atPath: work) }
      throw error
    }
    // From here on the work is done: should moving it fail, it stays beside the target.
    guard exists else { return try manager.moveItem(atPath: work, toPath: path) }
    try replaceFiles(from: work)
  }

  /// Each file takes its old one's place at once; weights that the new model lacks go last.
  private func replaceFiles(from work: String) throws {
    let manager = FileManager.default
    func isWeights(_ name: String) -> Bool {
      name.hasSuffix(".safetensors") || name.hasSuffix(".safetensors.index.json")
    }
    // The weights last: a folder that has them is complete.
    let names = try manager.contentsOfDirectory(atPath: work)
    for name in names.filter({ !isWeights($0) }) + names.filter(isWeights) {
      let (from, to) = (work + "/" + name, path + "/" + name)
      guard rename(from, to) == 0 else {
        throw ExportError.notMoved(
          from: from, to: to, problem: String(cString: strerror(errno)))
      }
    }
    for name in try manager.contentsOfDirectory(atPath: path)
    where isWeights(name) && !names.contains(name) {
      try manager.removeItem(atPath: path + "/" + name)
    }
    try manager.removeItem(atPath: work)
  }
}

/// Tells what part of the bytes is written.
public typealias ExportProgress = (_ done: Int, _ total: Int) throws -> Void

/// What an export wrote.
public struct ExportSummary: Encodable, Sendable, Equatable {
  /// Names within the folder, or the one file.
  public var files: [String]
  /// Of the tensors.
  public var bytes: Int
  /// Tensors by stored type.
  public var types: [String: Int]
  /// What the format could not carry.
  public var notes: [String] = []

  init(files: [String], tensors: [OutgoingTensor], notes: [String] = []) {
    self.files = files
    bytes = tensors.reduce(0) { $0 + $1.byteCount }
    types = Dictionary(tensors.map { ($0.type.rawValue, 1) }, uniquingKeysWith: +)
    self.notes = notes
  }
}
