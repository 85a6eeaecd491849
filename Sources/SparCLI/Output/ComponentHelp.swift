import Foundation
import SparHost

/// What `--help` says about the objectives or rankers that are really there.
///
/// Libraries are looked at in child processes, all at once: one that crashes or hangs costs a line
/// and a moment, not the help.
struct ComponentHelp {
  private static let secondsAllowed = 3.0

  private let kind: PluginKind
  /// `spar lens` takes several objectives and has no recipe.
  private let isLens: Bool
  private let search: PluginSearch

  /// Nil when the command line does not ask for the help of a command that takes plugins.
  init?(_ arguments: [String]) {
    guard let first = arguments.first else { return nil }
    let isHelp = first == "help" || arguments.contains { ["--help", "-h", "-help"].contains($0) }
    let command = first == "help" ? arguments.dropFirst().first : first
    guard isHelp else { return nil }
    switch command {
    case "train", "run", "lens": kind = .objective
    case "rank": kind = .ranker
    default: return nil
    }
    isLens = command == "lens"
    search = PluginSearch(
      paths: Self.paths(arguments),
      usePlugins: !arguments.contains { $0.replacing("_", with: "-") == "--no-plugins" })
  }

  /// The values of --plugin-path: the parser stops at --help and does not hand them out.
  private static func paths(_ arguments: [String]) -> [String] {
    var paths: [String] = []
    for (index, argument) in arguments.enumerated() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.first?.replacing("_", with: "-") == "--plugin-path" else { continue }
      if parts.count == 2 {
        paths.append(parts[1])
      } else if index + 1 < arguments.count {
        paths.append(arguments[index + 1])
      }
    }
    return paths
  }

  private var title: String {
    let use =
      isLens
      ? "--objectives ID,ID, --objective-option ID.KEY=VALUE"
      : "--\(kind) ID, --\(kind)-option KEY=VALUE; elsewhere \(kind).KEY"
    return "\("\(kind)".uppercased())S (\(use)):"
  }

  func lines() throws -> [String] {
    let table = try PluginTable(search, secondsAllowed: Self.secondsAllowed)
    let found = table.components.filter { $0.kind == kind }
    var lines = [title]
    if found.isEmpty { lines.append("  none was found; see `spar plugin list`") }
    for component in found {
      lines +=
        ["", "  \(component.id)"]
        + component.details("      ", prefix: isLens ? component.id : "\(kind)")
    }
    let broken = table.skipped.filter { !$0.shadowed }
    if !broken.isEmpty {
      lines += ["", "  not used:"] + broken.map { "      \($0.path): \($0.reason)" }
    }
    return lines
  }
}

extension PluginInfo {
  /// The sentence, the mathematics, the library and one line an option, indented; `prefix` stands
  /// before the options' names.
  func details(_ indent: String, prefix: String) -> [String] {
    var lines = [doc] + mathematics
    lines.append("from \(library)")
    lines += optionLines().map { "\(prefix).\($0)" }
    return lines.map { indent + $0 }
  }
}
