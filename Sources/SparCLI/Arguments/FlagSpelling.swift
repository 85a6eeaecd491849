import SparPipeline

/// Command lines as people type them, made fit for ArgumentParser.
///
/// `_` in a flag's name becomes `-`; in commands with settings, `--learning_rate 1e-6` becomes the
/// hidden `--flag=learning_rate=1e-6`, so that one table describes every setting.
enum FlagSpelling {
  static func normalise(_ arguments: [String]) throws -> [String] {
    guard let name = arguments.first,
      let command = Spar.recipeCommands.first(where: { $0._commandName == name })
    else { return joiningNegative(arguments.map(dashed)) }
    var result = [name]
    var rest = arguments.dropFirst()
    while let argument = rest.popFirst() {
      if argument == "--" { return joiningNegative(result) + ["--"] + rest }
      guard argument.hasPrefix("--") else {
        result.append(argument)
        continue
      }
      let parts = argument.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = String(parts[0]).replacing("_", with: "-")
      let inline = parts.count == 2 ? String(parts[1]) : nil
      if command.ownFlags.contains(flag) {
        result.append(dashed(argument))
        // The value of one of our own options is never looked at.
        if inline == nil, command.ownOptions.contains(flag), let value = rest.popFirst() {
          result.append(value)
        }
        continue
      }
      result.append("--flag=" + (try setting(String(parts[0]), inline, &rest)))
    }
    return joiningNegative(result)
  }

  /// `--limit -1` becomes `--limit=-1`: the parser would take the number for a flag, and say that
  /// the value is missing.
  private static func joiningNegative(_ arguments: [String]) -> [String] {
    var result: [String] = []
    for argument in arguments {
      if argument.first == "-", let next = argument.dropFirst().first,
        next.isASCII && next.isNumber || next == ".", let flag = result.last,
        flag.hasPrefix("--"), flag.count > 2, !flag.contains("=")
      {
        result[result.count - 1] = flag + "=" + argument
      } else {
        result.append(argument)
      }
    }
    return result
  }

  /// `name=value` for a flag that is a setting.
  private static func setting(
    _ name: String, _ inline: String?, _ rest: inout ArraySlice<String>
  ) throws -> String {
    if let target = SettingTable.find(name) {
      if let inline { return "\(name)=\(inline)" }
      if case .setting(let setting) = target, setting.isSwitch {
        // `--shuffle false`, or `--shuffle` alone.
        guard let next = rest.first, ["true", "false"].contains(next.lowercased()) else {
          return "\(name)=true"
        }
        rest.removeFirst()
        return "\(name)=\(next)"
      }
      guard let value = rest.popFirst() else {
        throw UsageError("--\(name) needs a value")
      }
      return "\(name)=\(value)"
    }
    let plain = name.replacing("-", with: "_")
    if inline == nil, plain.hasPrefix("no_"),
      case .setting(let setting) = SettingTable.find(String(plain.dropFirst(3))), setting.isSwitch
    {
      return "\(plain.dropFirst(3))=false"
    }
    throw RecipeError.unknownKey(
      key: "--\(name)", place: .preset, nearest: SettingTable.nearest(to: name))
  }

  private static func dashed(_ argument: String) -> String {
    guard argument.hasPrefix("--"), argument.count > 2 else { return argument }
    guard let equals = argument.firstIndex(of: "=") else {
      return argument.replacing("_", with: "-")
    }
    return String(argument[..<equals].replacing("_", with: "-") + argument[equals...])
  }
}
