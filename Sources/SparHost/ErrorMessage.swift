import CSparPlugin

extension PluginError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownComponent(let kind, let id, let known, let nearest, let problems):
      var text = "there is no \(kind.map { "\($0)" } ?? "component") named '\(id)'"
      if let nearest { text += "; did you mean '\(nearest)'?" }
      text += known.isEmpty ? "; none is loaded" : "; known: \(known.joined(separator: ", "))"
      for problem in problems { text += "\n  skipped: \(problem)" }
      return text
    case .unknownOption(let component, let name, let known, let nearest):
      let spelled = known.map { spelling($0, like: name) }
      var text = "\(component) has no \(name); "
      text += known.isEmpty ? "it has no options" : "it has \(spelled.joined(separator: ", "))"
      if let nearest { text += " (did you mean \(spelling(nearest, like: name))?)" }
      return text
    case .optionTwice(let component, let name):
      return "\(component): option \(name) is given twice, once with '-' and once with '_'"
    case .missingOption(let component, let schema):
      return "\(component) needs option \(schema.name) (\(schema.expectation)): \(schema.doc)"
    case .badOption(let component, let error):
      return "\(component): \(error)"
    case .unusable(let component, let library, let why):
      return
        "\(component) (\(library)) cannot work on this machine: \(why ?? "it does not say why")"
    case .failed(let component, let library, let doing, let status, let text):
      return "\(component) (\(library)) failed in \(doing): \(text ?? "no reason given") "
        + "[\(statusName(status))]"
    case .missingInput(let component, let input):
      return "\(component) needs \(input), which this batch does not have"
    case .badResult(let component, let library, let entry, let what):
      return "\(component) (\(library)) returned a bad result: \(entry) \(what)"
    }
  }
}

extension OptionError: CustomStringConvertible {
  public var description: String {
    let asked = "\(schema.name) is \(schema.expectation)"
    switch reason {
    case .notOfType: return "\(schema.name) = '\(text)' cannot be read; \(asked)"
    case .notFinite: return "\(schema.name) = '\(text)' is not finite; \(asked)"
    case .outOfRange: return "\(schema.name) = '\(text)' is out of range; \(asked)"
    case .notAChoice(let nearest):
      let hint = nearest.map { "; did you mean '\($0)'?" } ?? ""
      return "\(schema.name) = '\(text)' is not a choice; \(asked)\(hint)"
    }
  }
}

extension OptionSchema {
  /// Type, range and unit in words: "a float from 1e-09 to 1000.0, in nats".
  var expectation: String {
    let kind =
      switch type {
      case .bool: "true or false"
      case .int: "an integer"
      case .float: "a number"
      case .string: "a text"
      case .path: "a path"
      case .choice: "one of \(choices.joined(separator: ", "))"
      }
    return kind + (rangeText.map { " \($0)" } ?? "") + (unit.map { ", in \($0)" } ?? "")
  }

  /// "from 0 to 0.5", or nil without limits.
  var rangeText: String? {
    range.map { "from \(number($0.lowerBound)) to \(number($0.upperBound))" }
  }

  private func number(_ value: Double) -> String {
    Int64(exactly: value).map { type == .int || abs($0) < 1_000_000 ? "\($0)" : "\(value)" }
      ?? "\(value)"
  }
}

extension PluginProblem: CustomStringConvertible {
  public var description: String { "\(path): \(reason)" }
}

extension PluginProblem.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let why): "cannot be read: \(why)"
    case .relativePath: "entries of SPAR_PLUGIN_PATH must be absolute paths"
    case .unsafe(let part): "not loaded, because others could change it: \(part)"
    case .notALibrary(let problem): "not a loadable shared library: \(problem)"
    case .noEntrySymbol: "not a Spar plugin: it does not export \(SPAR_ENTRY_SYMBOL)"
    case .otherGeneration(let entries):
      "built for another generation of the plugin interface: it exports "
        + "\(entries.joined(separator: ", ")), this program needs \(SPAR_ENTRY_SYMBOL)"
    case .dlopenFailed(let why): "cannot be loaded: \(why)"
    case .badDescriptor(let part, let what): "bad descriptor: \(part) \(what)"
    case .shadowed(let what, let by): "\(what) is shadowed by \(by), found earlier"
    }
  }
}

extension UnsafePath: CustomStringConvertible {
  public var description: String {
    switch reason {
    case .owner(let id): "\(path) belongs to user \(id), not to you or root"
    case .writable(let mode):
      "\(path) has mode \(String(mode, radix: 8)) (hint: chmod go-w '\(path)')"
    }
  }
}

extension ELFProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let why): why
    case .malformed(let part): "it lacks \(part)"
    case .otherMachine(let machine): "it is for another processor (ELF machine \(machine))"
    }
  }
}

/// `name` with `-` where the user typed `-`, else with `_` as in recipes.
private func spelling(_ name: String, like typed: String) -> String {
  typed.contains("-") ? name : String(name.map { $0 == "-" ? "_" : $0 })
}

/// The name in spar_plugin.h of a status.
func statusName(_ status: Int32) -> String {
  switch Int(status) {
  case SPAR_OK: "SPAR_OK"
  case SPAR_UNSUPPORTED: "SPAR_UNSUPPORTED"
  case SPAR_E_INVALID: "SPAR_E_INVALID"
  case SPAR_E_NOMEM: "SPAR_E_NOMEM"
  case SPAR_E_IO: "SPAR_E_IO"
  case SPAR_E_DEVICE: "SPAR_E_DEVICE"
  case SPAR_E_PEER: "SPAR_E_PEER"
  case SPAR_E_CANCELLED: "SPAR_E_CANCELLED"
  case SPAR_E_INTERNAL: "SPAR_E_INTERNAL"
  default: "status \(status)"
  }
}
