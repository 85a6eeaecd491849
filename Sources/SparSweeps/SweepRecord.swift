import Foundation
import SparPipeline
import SparStore

/// sweep.json: the points of a sweep, how far each is, and the stages that they share.
public struct SweepRecord: Codable, Equatable, Sendable {
  public struct AxisRecord: Codable, Equatable, Sendable {
    public var name: String
    public var values: [String]
    public var replicate: Bool
  }
  public enum Status: String, Codable, Sendable {
    case pending, running, done, failed
  }
  public struct Point: Codable, Equatable, Sendable {
    public var id: String
    public var arm: String
    public var values: [String: String]
    /// Relative to the sweep's folder.
    public var folder: String
    public var status: Status
    public var error: String?
    /// Of the point's own process, without stages that it shares.
    public var seconds: Double?

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(id, forKey: .id)
      try container.encode(arm, forKey: .arm)
      try container.encode(values, forKey: .values)
      try container.encode(folder, forKey: .folder)
      try container.encode(status, forKey: .status)
      // Always there, as null where there is nothing to say.
      try container.encode(error, forKey: .error)
      try container.encode(seconds, forKey: .seconds)
    }
  }
  public struct Stage: Codable, Equatable, Sendable {
    public var key: String
    public var stage: String
    public var path: String
    public var computedBy: String
    public var usedBy: [String]
    public var seconds: Double
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(name, forKey: .name)
    try container.encode(recipe, forKey: .recipe)
    try container.encode(command, forKey: .command)
    try container.encode(spar, forKey: .spar)
    try container.encode(axes, forKey: .axes)
    // Always there, as null where there is none.
    try container.encode(baseline, forKey: .baseline)
    try container.encode(settings, forKey: .settings)
    try container.encode(points, forKey: .points)
    try container.encode(stages, forKey: .stages)
  }

  public static let schema = 1

  public var schema = Self.schema
  public var name: String
  public var recipe: String
  public var command: [String]
  public var spar = SparVersion.current
  public var axes: [AxisRecord]
  public var baseline: String?
  /// What all points have in common, as far as results depend on it: settings by name, and
  /// digests of files and plugins.
  public var settings: [String: String]
  public var points: [Point]
  public var stages: [Stage]

  public static func path(_ folder: String) -> String { folder + "/sweep.json" }

  /// Nil where there is none yet.
  public static func read(_ folder: String) throws -> SweepRecord? {
    let file = path(folder)
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let record: SweepRecord
    do {
      record = try decoder.decode(
        SweepRecord.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    } catch {
      throw SweepError.record(file: file, problem: "not a record of a sweep: \(error)")
    }
    guard record.schema == schema else {
      throw SweepError.record(
        file: file, problem: "has schema \(record.schema), this program reads \(schema)")
    }
    return record
  }

  public func write(to folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try AtomicFile.writeBytes(to: Self.path(folder), doing: "writing the record of the sweep") {
      try $0.write(text)
    }
  }

  /// Why this sweep cannot go on from `earlier`; empty when it can, which it can when all earlier
  /// points are among its own and nothing else changed.
  func differences(from earlier: SweepRecord) -> [String] {
    func short(_ text: String?) -> String {
      guard let text else { return "not set" }
      return text.count > 40 ? text.prefix(12) + "…" : text.isEmpty ? "empty" : text
    }
    let names = Set(settings.keys).union(earlier.settings.keys).sorted()
    var found: [String] = names.compactMap { name in
      let (was, now) = (earlier.settings[name], settings[name])
      // A file or plugin that new points bring along, or that only old ones needed.
      let isFact = name.hasPrefix("library of ") || name.hasPrefix("content of ")
      if was == now || isFact && (was == nil || now == nil) { return nil }
      return "\(name) was \(short(was)), is \(short(now))"
    }
    let (was, now) = (earlier.axes.map(\.name).sorted(), axes.map(\.name).sorted())
    if was != now {
      found.append(
        "its axes were \(was.joined(separator: ", ")), are \(now.joined(separator: ", "))")
    } else {
      let mine = Set(points.map(\.values))
      found += earlier.points.filter { !mine.contains($0.values) }.map {
        let values = $0.values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "its point \($0.id) (\(values.joined(separator: " "))) is not in this sweep"
      }
    }
    return found
  }
}
