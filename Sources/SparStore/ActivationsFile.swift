import Foundation

/// activations.h5: values inside a model for rows of texts. The layout is in docs/activations.md.
public enum ActivationsFile {
  public static let schema = H5Schema(name: "spar.activations", version: 1)

  /// One dataset [rows, channels].
  public struct Series: Equatable, Codable, Sendable {
    /// "residual/15"
    public var name: String
    public var channels: Int

    public init(name: String, channels: Int) {
      self.name = name
      self.channels = channels
    }
  }

  /// One text, or one answer after its prompt, under one policy.
  public struct Sample: Equatable, Codable, Sendable {
    public var id: String
    /// Row of the prompt, or of the text, in the file that it comes from.
    public var prompt: Int
    /// Index of the answer among its prompt's; -1 where there is one text only.
    public var answer = -1
    /// Optimizer steps that the policy had seen; -1 where nothing is trained.
    public var step = -1
    /// +1 chosen, -1 rejected, 0 neither.
    public var label: Int8 = 0
    /// Tokens before the completion; all of them where there is none.
    public var promptTokens: Int
    public var rows: Int

    public init(id: String, prompt: Int, promptTokens: Int, rows: Int) {
      self.id = id
      self.prompt = prompt
      self.promptTokens = promptTokens
      self.rows = rows
    }
  }

  /// What a capture is: which datasets, how stored, and what it depends on.
  public struct Description: Sendable {
    public var series: [Series]
    /// f16 or f32.
    public var type: H5Type
    /// A digest of everything that the content depends on: names the journal, and the file.
    public var key: String
    /// Root attributes beside schema and key.
    public var attributes: [String: AttributeValue]

    public init(
      series: [Series], type: H5Type, key: String, attributes: [String: AttributeValue]
    ) {
      precondition(type == .f16 || type == .f32, "activations are stored as f16 or f32")
      self.series = series
      self.type = type
      self.key = key
      self.attributes = attributes
    }

    var valueBytes: Int { type == .f16 ? 2 : 4 }
    /// Of one row in all series.
    var rowBytes: Int { series.reduce(0) { $0 + $1.channels } * valueBytes }
  }

  static let keyAttribute = "capture_key"

  /// True when `path` is the complete result of the capture with this key.
  public static func isComplete(_ path: String, key: String) throws(StoreError) -> Bool {
    guard FileManager.default.fileExists(atPath: path) else { return false }
    let file: H5File
    do throws(StoreError) {
      file = try H5File.open(path, doing: "looking at the earlier activations")
    } catch {
      // Whatever it is, it is about to be replaced, as by every command that writes a file; only
      // what the system refuses would refuse the new file, too.
      if case .system = error.reason { throw error }
      return false
    }
    guard try file.schema() == schema, case .string(let found)? = try file.attribute(keyAttribute)
    else { return false }
    return found == key
  }

  /// What a finished file holds, in numbers.
  public struct Size: Equatable, Sendable {
    public var samples: Int
    public var rows: Int
  }

  public static func size(_ path: String) throws(StoreError) -> Size {
    let file = try H5File.open(path, doing: "reading the activations")
    try file.require(schema)
    return Size(
      samples: try file.dataset("sample/prompt").count,
      rows: try file.dataset("row/token").count)
  }
}
