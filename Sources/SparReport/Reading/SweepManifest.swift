import Foundation

/// sweep.json: what a sweep varies, its points, and which of them computed a shared stage.
public struct SweepManifest: Codable, Equatable, Sendable {
  public static let schema = 1

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
    case done, failed, pending, running
  }

  /// One run of the sweep.
  public struct Point: Codable, Equatable, Sendable {
    public var id: String
    public var arm: String
    /// The value of each axis; an axis that does not apply is absent.
    public var values: [String: String]
    /// Relative to the sweep's folder.
    public var folder: String
    public var status: Status
    public var error: String?
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
  }

  /// A stage that was computed once and used by one point or more.
  public struct Stage: Codable, Equatable, Sendable {
    /// Digest of all that the stage depends on.
    public var key: String
    public var stage: String
    public var path: String
    public var computedBy: String?
    public var usedBy: [String]
    public var seconds: Double?
  }

  public var schema = Self.schema
  public var name: String
  public var recipe: String?
  /// The command line that started it, word by word.
  public var command: [String]?
  public var spar: String?
  public var axes: [Axis]
  public var baseline: String?
  public var points: [Point]
  public var stages: [Stage]?

  public init(
    name: String, axes: [Axis], points: [Point], baseline: String? = nil
  ) {
    self.name = name
    self.axes = axes
    self.points = points
    self.baseline = baseline
  }

  /// - Throws: `ReportError.unreadable` for a file that is no sweep.json of this schema.
  public static func read(_ path: String) throws -> SweepManifest {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    struct Head: Decodable { var schema: Int? }
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let found = try decoder.decode(Head.self, from: data).schema
      guard found == schema else {
        throw ReportError.schema(path: path, found: found, supported: schema)
      }
      return try decoder.decode(Self.self, from: data)
    } catch let error as ReportError {
      throw error
    } catch {
      throw ReportError.unreadable(path: path, problem: ReportError.reason(error))
    }
  }
}
