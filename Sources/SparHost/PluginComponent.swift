import CSparPlugin

/// A loaded library, or a table linked into the program.
public struct PluginLibrary: Sendable, Equatable {
  /// Without links; nil when linked in.
  public var path: String?
  public var origin: PluginSearch.Origin
  public var id: String
  public var name: String
  public var version: String
  public var vendor: String?
  public var license: String?
  public var url: String?

  /// The path, or "built in".
  public var location: String { path ?? origin.rawValue }
}

/// One thing that a loaded plugin offers.
public struct PluginComponent: @unchecked Sendable {
  // Unchecked: `raw` and `plugin` hold pointers to tables that never move, change or go away.

  public let kind: PluginKind
  public let id: String
  public let name: String
  /// One sentence.
  public let doc: String
  /// "L = …", where it says so.
  public let formula: String?
  /// Where the formula is from.
  public let paper: String?
  public let options: [OptionSchema]
  public let library: PluginLibrary

  /// Adopted.
  package let raw: spar_component
  /// The adopted descriptor of the library.
  package let plugin: spar_plugin
  /// Which library `init` belongs to.
  let identity: UnsafeRawPointer

  /// What an objective must be given; empty for other kinds.
  public var needs: ObjectiveNeeds {
    guard kind == .objective, let api = raw.api else { return [] }
    return ObjectiveNeeds(rawValue: adopt(api, as: spar_objective_api.self).needs)
  }
}
