import Foundation
import SparStore

/// Results of stages by address, shared by the runs of a sweep or by any runs.
///
///     <root>/generate-0123456789ab/candidates.h5  prompts.jsonl  stage.json
///     <root>/.locks/generate-0123456789ab.lock
///
/// A result is put together in a folder of another name, its record `stage.json` last, everything
/// is synced, and the folder is renamed: what stands under an address is complete.
public struct StageStore: Equatable, Sendable {
  /// Part of every address; goes up when a stage of the same settings gives something else.
  public static let format = 1

  public let root: String

  public init(_ root: String) throws(RunError) {
    try RunDirectory.create(root + "/.locks")
    self.root = RunDirectory(root).root
  }

  /// The store that is there already, or nil; makes nothing.
  public static func existing(_ root: String) throws(RunError) -> StageStore? {
    guard FileManager.default.fileExists(atPath: root + "/.locks") else { return nil }
    return try StageStore(root)
  }

  /// The record of a complete result.
  public struct Entry: Codable, Equatable, Sendable {
    public var schema = 1
    public var address: StageAddress
    /// With the digests of what its inputs held.
    public var key: StageKey
    /// The final file, relative to the entry's folder, and its digest where it has one.
    public var output: String
    public var outputDigest: String?
    /// Bytes of every file by relative path.
    public var files: [String: Int]
    public var figures: [String: Double]
    /// Who computed it, such as the point of a sweep.
    public var computedBy: String
    public var threads: Int
    /// Amount of work in `RunPlan`'s units, and parameters of the policy, for estimates.
    public var work: Double
    public var parameters: Double

    public var seconds: Double { figures["seconds"] ?? 0 }
  }

  public func folder(_ address: StageAddress) -> String { root + "/" + address.folderName }

  /// The complete result under this address; nil when there is none or its files are not those
  /// that were stored.
  public func entry(_ address: StageAddress) throws -> Entry? {
    let folder = folder(address)
    guard let entry = try Self.read(folder + "/stage.json") else { return nil }
    // Twelve letters of the digest name the folder, all of them decide.
    guard entry.address == address, entry.schema == 1 else { return nil }
    let isWhole = entry.files.allSatisfy { FileTree.size("\(folder)/\($0)") == $1 }
    return isWhole ? entry : nil
  }

  /// Waits until no other process computes this result; nil when cancelled meanwhile.
  public func lock(_ address: StageAddress, isCancelled: () -> Bool) throws(RunError) -> FileLock? {
    try FileLock.wait(
      for: "\(root)/.locks/\(address.folderName).lock", isCancelled: isCancelled)
  }

  /// Stores files or folders of `source`; the caller holds the address's lock.
  func publish(_ entry: Entry, outputs: [String], from source: String) throws {
    var entry = entry
    let files = FileManager.default
    let final = folder(entry.address)
    let building = "\(root)/.building-\(entry.address.folderName)"
    try FileTree.remove(building)
    try RunDirectory.create(building)
    entry.files = [:]
    for name in outputs {
      for file in try FileTree.files("\(source)/\(name)") {
        let relative = name + file
        try FileTree.share(source + "/" + relative, as: "\(building)/\(relative)")
        entry.files[relative] = FileTree.size("\(building)/\(relative)")
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = String(decoding: try encoder.encode(entry), as: UTF8.self) + "\n"
    try AtomicFile.writeBytes(to: building + "/stage.json", doing: "writing a stage's record") {
      try $0.write(text)
    }
    // What stood there was of other inputs, or damaged.
    try FileTree.remove(final)
    try files.moveItem(atPath: building, toPath: final)
    try FileTree.sync(root)
  }

  /// All complete results, for estimates of time.
  public func entries() throws -> [Entry] {
    try FileManager.default.contentsOfDirectory(atPath: root).sorted().compactMap { name in
      guard !name.hasPrefix("."), let dash = name.lastIndex(of: "-") else { return nil }
      guard let found = try Self.read("\(root)/\(name)/stage.json") else { return nil }
      return found.address.stage == name[..<dash] ? found : nil
    }
  }

  /// Nil where there is no record, or a damaged one: what it stands for is computed anew.
  private static func read(_ path: String) throws -> Entry? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(Entry.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch is DecodingError {
      return nil
    }
  }
}
