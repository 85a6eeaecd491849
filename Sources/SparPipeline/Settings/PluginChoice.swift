/// A plugin by the id it announces, with its options as typed.
///
/// The options are open here and checked against the plugin's own schema before anything runs.
public struct PluginChoice: Equatable, Sendable, Codable {
  public var name: String
  /// Option name → text; names spelled with `_`.
  public var options: [String: String] = [:]

  public init(_ name: String, options: [String: String] = [:]) {
    self.name = name
    self.options = options
  }
}
