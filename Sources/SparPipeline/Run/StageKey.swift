import Foundation
import SparStore

/// The stages of one iteration, in order.
public enum RunStage: String, CaseIterable, Sendable, Codable {
  case generate, rank, train, evaluate
}

/// Everything that a stage's result depends on: settings by name, inputs by digest.
///
/// Equal keys mean equal results; what changes only speed (threads, batch sizes) is no part of it.
public struct StageKey: Equatable, Sendable, Codable {
  public var parts: [String: String]

  public init(_ parts: [String: String] = [:]) {
    self.parts = parts
  }

  public subscript(name: String) -> String? {
    get { parts[name] }
    set { parts[name] = newValue }
  }

  /// Adds the settings whose names begin so, except those named.
  public mutating func add(
    _ rows: [ResolvedRecipe.Row], under prefix: String, except: Set<String> = []
  ) {
    for row in rows where row.name.hasPrefix(prefix) && !except.contains(row.name) {
      parts[row.name] = row.value
    }
  }

  public struct Change: Equatable, Sendable, CustomStringConvertible {
    public var name: String
    public var was: String?
    public var now: String?

    public var description: String {
      "\(name) was \(Self.short(was)), is \(Self.short(now))"
    }

    private static func short(_ value: String?) -> String {
      guard let value else { return "not set" }
      // Digests say enough with their beginning.
      return value.count > 48 ? value.prefix(12) + "…" : value.isEmpty ? "empty" : value
    }
  }

  /// What differs from the key that an earlier run had, in order of name.
  public func changes(from earlier: StageKey) -> [Change] {
    Set(parts.keys).union(earlier.parts.keys).sorted().compactMap { name in
      let (was, now) = (earlier.parts[name], parts[name])
      return was == now ? nil : Change(name: name, was: was, now: now)
    }
  }

  /// SHA-256 over all parts.
  public var digest: String {
    var hash = SHA256()
    for (name, value) in parts.sorted(by: { $0.key < $1.key }) {
      hash.update(Array("\(name.utf8.count):\(name)\(value.utf8.count):\(value)".utf8))
    }
    return hash.hexDigest()
  }
}
