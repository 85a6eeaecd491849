/// What `spar plugin list` shows: as a table (`description`) or as JSON (it is Encodable).
public struct PluginListing: Sendable, Encodable, CustomStringConvertible {
  public struct Row: Sendable, Encodable, Equatable {
    public var kind: PluginKind
    public var id: String
    public var version: String
    public var doc: String
    /// The library's file, or "built in".
    public var library: String
    /// How it was found: "--plugin-path", "SPAR_PLUGIN_PATH", …
    public var origin: PluginSearch.Origin
  }

  public struct Skipped: Sendable, Encodable, Equatable {
    public var path: String
    public var reason: String
    public var shadowed: Bool
  }

  public var components: [Row]
  public var skipped: [Skipped]

  public init(_ host: PluginHost) {
    components = PluginKind.allCases.flatMap { kind in
      host.components(kind).sorted { $0.id < $1.id }.map { component in
        Row(
          kind: kind, id: component.id, version: component.library.version, doc: component.doc,
          library: component.library.location, origin: component.library.origin)
      }
    }
    skipped = host.problems.map { problem in
      let isShadowed = if case .shadowed = problem.reason { true } else { false }
      return Skipped(path: problem.path, reason: "\(problem.reason)", shadowed: isShadowed)
    }
  }

  public var description: String {
    let header = ["kind", "id", "version", "library", ""]
    let rows = components.map { [$0.kind.rawValue, $0.id, $0.version, $0.library, $0.doc] }
    var lines = columns([header] + rows)
    if !skipped.isEmpty {
      lines += ["", "not used:"]
      lines += skipped.map { "  \($0.path): \($0.reason)" }
    }
    return lines.joined(separator: "\n")
  }
}

/// Rows of cells, each column as wide as its widest cell, the last as it is.
func columns(_ rows: [[String]]) -> [String] {
  let last = (rows.first?.count ?? 1) - 1
  let widths = (0..<max(last, 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    var line = ""
    for (column, cell) in row.enumerated() {
      line += cell
      if column < last {
        line += String(repeating: " ", count: widths[column] - cell.count + 2)
      }
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
