/// Text for HTML. Chat templates are not escaped, so it matters only to what `safe` and `escape`
/// themselves make. Source: markupsafe.
enum JinjaMarkup {
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&#34;"
      case "'": out += "&#39;"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// What a method of marked text gets: its other texts escaped.
  static func escaped(_ given: JinjaCall) -> JinjaCall {
    func one(_ value: JinjaValue) -> JinjaValue {
      if case .string(let text) = value { .string(escaped(text)) } else { value }
    }
    return JinjaCall(
      positional: given.positional.map(one), named: given.named.map { ($0.name, one($0.value)) })
  }

  /// What it gives: its texts marked.
  static func marked(_ value: JinjaValue) -> JinjaValue {
    switch value {
    case .string(let text): .markup(text)
    case .list(let list): .list(list.elements.map(marked))
    case .tuple(let list): .tuple(list.elements.map(marked))
    default: value
    }
  }
}
