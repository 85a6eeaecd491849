import Foundation
import SparHost
import SparStore

/// run.json: what was run, with what, where.
public struct RunRecord: Codable, Equatable, Sendable {
  public struct Value: Codable, Equatable, Sendable {
    public var value: String
    public var origin: String
  }
  public struct Plugin: Codable, Equatable, Sendable {
    public var kind: String
    public var id: String
    public var version: String
    /// Nil for what is built in.
    public var path: String?
    public var sha256: String?
  }

  public static let schema = 1

  public var schema = Self.schema
  public var spar = SparVersion.current
  /// Every setting by its dotted name.
  public var settings: [String: Value]
  public var plugins: [Plugin]
  public var machine: Machine

  init(_ run: SelfPlayRun) throws {
    settings = Dictionary(
      run.resolved.rows.map {
        ($0.name, Value(value: $0.value, origin: "\($0.origin)"))
      }, uniquingKeysWith: { first, _ in first })
    let host = run.runtime.host
    let others = try run.recipe.evaluate.otherRankers()
    let rankers = try (run.recipe.ranker.rankers().map(\.choice) + others).map {
      (PluginKind.ranker, $0.name)
    }
    plugins = try
      ([(.backend, run.runtime.backend.name)] + rankers
      + [(.objective, run.recipe.objective.name)]).map { kind, id in
        let component = try host.component(kind, id)
        return Plugin(
          kind: kind.rawValue, id: component.id, version: component.library.version,
          path: component.library.path,
          sha256: try component.library.path.map { try fileDigest($0) })
      }
    machine = Machine.current(threads: run.runtime.threads)
  }

  /// Reads run.json back.
  public static func read(_ path: String) throws -> RunRecord {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try AtomicFile.writeBytes(to: path, doing: "writing the record of the run") {
      try $0.write(text)
    }
  }
}

/// The version of this program.
public enum SparVersion {
  public static let current = "0.1.0"
}
