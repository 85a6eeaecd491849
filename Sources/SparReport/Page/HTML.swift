/// Text into markup.
enum HTML {
  /// For text between tags and in quoted attributes.  Control characters that HTML forbids become
  /// the replacement character.
  static func escape(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\n", "\t": escaped.unicodeScalars.append(scalar)
      case "\r": break
      case "\0"..<" ", "\u{7F}"..."\u{9F}": escaped += "\u{FFFD}"
      // Invisible marks that turn the direction of all text behind them.
      case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  static func code(_ text: String) -> String { "<code>\(escape(text))</code>" }

  /// A section with a heading that can be linked to; nothing without a body.
  static func section(_ id: String, _ title: String, _ body: String) -> String {
    body.isEmpty
      ? "" : "<section id=\"\(id)\">\n<h2>\(escape(title))</h2>\n\(body)\n</section>\n"
  }

  static func details(_ summary: String, _ body: String, open: Bool = false) -> String {
    "<details\(open ? " open" : "")><summary>\(escape(summary))</summary>\n\(body)\n</details>\n"
  }

  /// A list of texts; nothing for none.
  static func list(_ items: [String]) -> String {
    items.isEmpty ? "" : "<ul>" + items.map { "<li>\($0)</li>" }.joined() + "</ul>\n"
  }

  /// A table that scrolls by itself where the page is narrow; cells are markup, the first of a
  /// row names it.
  static func table(_ head: [String], _ rows: [[String]], class name: String = "") -> String {
    guard !rows.isEmpty else { return "" }
    let heading = head.map { "<th scope=\"col\">\($0)</th>" }.joined()
    let body = rows.map { row in
      "<tr><th scope=\"row\">\(row.first ?? "")</th>"
        + row.dropFirst().map { "<td>\($0)</td>" }.joined() + "</tr>"
    }
    return "<div class=\"scroll\" tabindex=\"0\"><table\(name.isEmpty ? "" : " class=\"\(name)\"")>"
      + "<thead><tr>\(heading)</tr></thead>\n<tbody>\(body.joined(separator: "\n"))</tbody>"
      + "</table></div>\n"
  }
}
