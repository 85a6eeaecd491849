import ArgumentParser
import SparPipeline

/// Completion for a shell: ArgumentParser's script, with the flags of the table of settings added
/// to the commands that take them.
struct CompletionScript {
  private let shell: CompletionShell

  /// Nil when the command line asks for something else.
  init?(_ arguments: [String]) {
    let flag = "--generate-completion-script"
    guard let first = arguments.first, first.hasPrefix(flag) else { return nil }
    let inline = first.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init)
    guard let name = inline ?? arguments.dropFirst().first,
      let shell = CompletionShell(rawValue: name)
    else { return nil }
    self.shell = shell
  }

  var text: String {
    var lines = Spar.completionScript(for: shell).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    for command in Spar.recipeCommands {
      let settings = SettingTable.all.filter { command.isUsed($0.name) }.map(Flag.init)
        .filter { !command.ownFlags.contains($0.name) }
      switch shell {
      case .bash: addBash(settings, command._commandName, &lines)
      case .zsh: addZsh(settings, command._commandName, &lines)
      default: lines += settings.map { $0.fish(command._commandName) }
      }
    }
    return lines.joined(separator: "\n")
  }

  /// A setting as a flag.
  private struct Flag {
    /// Without dashes in front, `-` between words.
    var name: String
    var help: String
    var choices: [String]
    var isPath: Bool
    var isSwitch: Bool

    init(_ setting: Setting) {
      name = (setting.aliases.first ?? setting.name).replacing("_", with: "-")
      help = setting.help
      isSwitch = setting.isSwitch
      isPath = setting.isInputPath
      choices =
        setting.type.contains("|") ? setting.type.split(separator: "|").map(String.init) : []
    }

    func fish(_ command: String) -> String {
      let values =
        isSwitch ? "" : isPath ? " -rF" : " -rfka '\(choices.joined(separator: " "))'"
      return "complete -c 'spar' -n '__spar_should_offer_completions_for_flags_or_options "
        + "\"spar \(command)\" \(name)' -l '\(name)' -d '\(help.replacing("'", with: "\\'"))'"
        + values
    }

    var zsh: String {
      let text = ["\\", "[", "]", ":"].reduce(help) { $0.replacing($1, with: "\\" + $1) }
        .replacing("'", with: "'\\''")
      let values =
        isSwitch ? "" : ":\(name):" + (isPath ? "_files" : choices.isEmpty ? "" : bracketed)
      return "        '--\(name)[\(text)]\(values)'"
    }

    private var bracketed: String { "(\(choices.joined(separator: " ")))" }

    var bash: [String] {
      let offer: [String]
      if isPath {
        offer = ["        __spar_add_completions -f"]
      } else if !choices.isEmpty {
        let words = choices.map { "'\($0)'" }.joined(separator: "$'\\n'")
        offer = ["        __spar_add_completions -W \(words)"]
      } else {
        offer = []
      }
      return ["    '--\(name)')"] + offer + ["        return", "        ;;"]
    }
  }

  private func addBash(_ flags: [Flag], _ command: String, _ lines: inout [String]) {
    guard let start = lines.firstIndex(of: "_spar_\(command)() {"),
      let end = lines[start...].firstIndex(of: "}")
    else { return }
    let switches = flags.filter(\.isSwitch)
    let valued = flags.filter { !$0.isSwitch }
    for (list, members) in [
      ("    non_repeating_flags=(", switches), ("    non_repeating_options=(", valued),
    ] {
      guard let line = lines[start..<end].firstIndex(where: { $0.hasPrefix(list) }) else {
        continue
      }
      let names = members.map { "--\($0.name) " }.joined()
      lines[line] = list + names + lines[line].dropFirst(list.count)
    }
    if let esac = lines[start..<end].firstIndex(of: "    esac") {
      lines.insert(contentsOf: valued.flatMap(\.bash), at: esac)
    }
  }

  private func addZsh(_ flags: [Flag], _ command: String, _ lines: inout [String]) {
    guard let start = lines.firstIndex(of: "_spar_\(command)() {"),
      let specs = lines[start...].firstIndex(of: "    local -ar arg_specs=(")
    else { return }
    lines.insert(contentsOf: flags.map(\.zsh), at: specs + 1)
  }
}
