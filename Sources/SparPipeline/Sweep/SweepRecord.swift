import Foundation
import SparStore

/// sweep.json: the points of a sweep, how far each is, and the stages that they share.
public struct SweepRecord: Codable, Equatable, Sendable {
  /// A setting that the sweep varies.
  public struct Axis: Codable, Equatable, Sendable {
    /// Its dotted name: "objective.beta".
    public var name: String
    public var values: [String]
    /// Whether its values repeat an arm (seeds) rather than make one.
    public var replicate: Bool

    public init(name: String, values: [String], replicate: Bool) {
      self.name = name
      self.values = values
      self.replicate = replicate
    }
  }
  public enum Status: String, Codable, Sendable {
    case pending, running, done, failed
  }
  /// One run of the sweep.
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

    public init(
      id: String, arm: String, values: [String: String], folder: String, status: Status,
      error: String? = nil, seconds: Double? = nil
    ) {
      self.id = id
      self.arm = arm
      self.values = values
      self.folder = folder
      self.status = status
      self.error = error
      self.seconds = seconds
    }

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
  /// A stage that was computed once and used by one point or more.
  public struct Stage: Codable, Equatable, Sendable {
    /// Digest of all that the stage depends on.
    public var key: String
    public var stage: String
    public var path: String
    public var computedBy: String
    public var usedBy: [String]
    public var seconds: Double

    public init(
      key: String, stage: String, path: String, computedBy: String, usedBy: [String],
      seconds: Double
    ) {
      self.key = key
      self.stage = stage
      self.path = path
      self.computedBy = computedBy
      self.usedBy = usedBy
      self.seconds = seconds
    }
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
  public var axes: [Axis]
  public var baseline: String?
  /// What all points have in common, as far as results depend on it: settings by name, and
  /// digests of files and plugins.
  public var settings: [String: String]
  public var points: [Point]
  public var stages: [Stage]

  public init(
    name: String, recipe: String, command: [String], axes: [Axis], baseline: String?,
    settings: [String: String], points: [Point], stages: [Stage]
  ) {
    self.name = name
    self.recipe = recipe
    self.command = command
    self.axes = axes
    self.baseline = baseline
    self.settings = settings
    self.points = points
    self.stages = stages
  }

  public static func path(_ folder: String) -> String { folder + "/sweep.json" }

  /// Nil where there is none yet.
  ///
  /// - Throws: `SweepRecordError` for a file that is no sweep.json of this schema.
  public static func read(_ folder: String) throws(SweepRecordError) -> SweepRecord? {
    let file = path(folder)
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    struct Head: Decodable { var schema: Int? }
    let found: Int?
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: file))
      found = try decoder.decode(Head.self, from: data).schema
      if found == schema { return try decoder.decode(SweepRecord.self, from: data) }
    } catch {
      throw .unreadable(file: file, problem: "\(error)")
    }
    throw .schema(file: file, found: found, supported: schema)
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
}
