import Foundation
import SparStore

/// What the stages of one folder were made with: stages.json.
///
/// A stage is written down before it starts, so that changed settings are noticed in a half-done
/// stage, too, and again when its final file stands.
public struct StageLedger {
  public struct Record: Equatable, Sendable, Codable {
    public var key: StageKey
    public var finished: Bool
    /// The final file, and its size.
    public var output: String?
    public var outputBytes: Int?
    public var outputDigest: String?
    /// Figures for the report: seconds, tokens_per_second, …
    public var figures: [String: Double] = [:]
    /// Digest of the `StageAddress` in the store that the files lie in; nil outside of stores.
    public var address: String?

    /// Written down from this very result, not from an earlier one under the same address.
    func isOf(_ entry: StageStore.Entry) -> Bool {
      key == entry.key && outputDigest == entry.outputDigest && figures == entry.figures
    }
  }

  public enum State: Equatable, Sendable {
    /// To be done, from the start or from where it stopped.
    case due
    case finished(Record)
  }

  public let path: String
  private var records: [String: Record] = [:]

  public init(path: String) throws(RunError) {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else { return }
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      records = try decoder.decode(
        [String: Record].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw .ledger(path: path, problem: "not a record of stages: \(error)")
    }
  }

  /// By the stages' names.
  public var all: [String: Record] { records }

  /// The names of the other rankers that have judged, in order.
  public static func judges(_ stages: [String: Record]) -> [String] {
    stages.filter { $0.value.finished && $0.key.hasPrefix(RunTarget.check) }
      .map { String($0.key.dropFirst(RunTarget.check.count)) }.sorted()
  }

  public func record(of stage: String) -> Record? { records[stage] }

  private var folder: String { (path as NSString).deletingLastPathComponent }

  /// Whether `stage` is done; throws when it was begun with another key, or when its file is not
  /// the one that it wrote.
  public func state(of stage: String, key: StageKey, output: String?) throws(RunError) -> State {
    guard let record = records[stage] else {
      if let output, FileManager.default.fileExists(atPath: output) {
        throw .foreignOutput(stage: stage, file: output, ledger: path)
      }
      return .due
    }
    let changes = key.changes(from: record.key)
    guard changes.isEmpty else {
      throw .settingsChanged(stage: stage, folder: folder, changes: changes)
    }
    guard record.finished else { return .due }
    if let name = record.output {
      let file = folder + "/" + name
      guard let bytes = Self.size(file) else {
        throw .outputLost(stage: stage, file: file, problem: "is gone")
      }
      if let expected = record.outputBytes, bytes != expected {
        throw .outputLost(
          stage: stage, file: file, problem: "has \(bytes) bytes instead of \(expected)")
      }
    }
    return .finished(record)
  }

  public mutating func begin(_ stage: String, key: StageKey) throws {
    records[stage] = Record(key: key, finished: false)
    try write()
  }

  /// - Parameter output: the final file, inside the ledger's folder.
  public mutating func finish(
    _ stage: String, output: String, digest: String? = nil, figures: [String: Double]
  ) throws {
    guard var record = records[stage] else {
      preconditionFailure("\(stage) was not begun")
    }
    record.finished = true
    record.output =
      output.hasPrefix(folder + "/") ? String(output.dropFirst(folder.count + 1)) : output
    record.outputBytes = Self.size(output)
    record.outputDigest = digest
    record.figures = figures
    records[stage] = record
    try write()
  }

  /// Takes over what another run has left in a store.
  mutating func adopt(_ stage: String, _ entry: StageStore.Entry) throws {
    var record = Record(key: entry.key, finished: true)
    record.output = entry.output
    record.outputBytes = entry.files[entry.output]
    record.outputDigest = entry.outputDigest
    record.figures = entry.figures
    record.address = entry.address.digest
    records[stage] = record
    try write()
  }

  public mutating func forget(_ stages: [String]) throws {
    for stage in stages { records[stage] = nil }
    try write()
  }

  private func write() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = String(decoding: try encoder.encode(records), as: UTF8.self) + "\n"
    try AtomicFile.writeBytes(to: path, doing: "writing the record of stages") {
      try $0.write(text)
    }
  }

  private static func size(_ path: String) -> Int? {
    var info = stat()
    return stat(path, &info) == 0 ? Int(info.st_size) : nil
  }
}
