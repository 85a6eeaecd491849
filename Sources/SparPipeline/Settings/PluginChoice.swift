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

  /// "numa" or "numa:nodes=2,placement=split", as backends are named in one word.
  public init(text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = parts.first.map(String.init) ?? ""
    guard parts.count > 1 else { return }
    for option in parts[1].split(separator: ",") {
      let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      // Without a value it is an empty one, which the option's own check refuses.
      options[String(pair[0])] = pair.count > 1 ? String(pair[1]) : ""
    }
  }
}
