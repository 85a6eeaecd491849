import ArgumentParser
import SparText

/// The names of commands, as people mistype them.
enum CommandNames {
  /// Throws for a name that no command has, with the nearest: the parser would call it an
  /// unexpected argument, and `spar help genrate` would tell of everything.
  static func check(_ arguments: [String]) throws {
    var command: any ParsableCommand.Type = Spar.self
    var path = "spar"
    var rest = arguments[...]
    if rest.first == "help" { rest.removeFirst() }
    while let name = rest.popFirst(), !name.hasPrefix("-") {
      let known = command.configuration.subcommands
      if known.isEmpty { return }
      if let next = known.first(where: { $0._commandName == name }) {
        (command, path) = (next, "\(path) \(name)")
        continue
      }
      let names = known.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
      let nearest = NearestName.of(name, among: names).map { "; did you mean \($0)?" }
      throw UsageError(
        "there is no command `\(path) \(name)`" + (nearest ?? ""),
        hint: "the commands are \(names.joined(separator: ", "))")
    }
  }
}
