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

/// What `spar plugin info ID` shows: as text (`description`) or as JSON (it is Encodable).
public struct PluginInfo: Sendable, Encodable, CustomStringConvertible {
  public struct Option: Sendable, Encodable, Equatable {
    public var name: String
    public var type: OptionType
    public var defaultText: String?
    public var minimum: Double?
    public var maximum: Double?
    public var choices: [String]
    public var unit: String?
    public var doc: String
    public var required: Bool
    public var advanced: Bool
    public var deprecated: Bool
  }

  public var kind: PluginKind
  public var id: String
  public var name: String
  public var doc: String
  public var library: String
  public var pluginID: String
  public var version: String
  public var vendor: String?
  public var license: String?
  public var url: String?
  public var options: [Option]

  private var expectations: [String]

  private enum CodingKeys: String, CodingKey {
    case kind, id, name, doc, library, pluginID, version, vendor, license, url, options
  }

  public init(_ component: PluginComponent) {
    kind = component.kind
    id = component.id
    name = component.name
    doc = component.doc
    library = component.library.location
    pluginID = component.library.id
    version = component.library.version
    vendor = component.library.vendor
    license = component.library.license
    url = component.library.url
    expectations = component.options.map(\.expectation)
    options = component.options.map { schema in
      Option(
        name: schema.name, type: schema.type, defaultText: schema.defaultText,
        minimum: schema.range?.lowerBound, maximum: schema.range?.upperBound,
        choices: schema.choices, unit: schema.unit, doc: schema.doc, required: schema.required,
        advanced: schema.advanced, deprecated: schema.deprecated)
    }
  }

  public var description: String { text(all: true) }

  /// `all`: with options that are marked advanced.
  public func text(all: Bool) -> String {
    var lines = ["\(kind) \(id): \(name)", doc, "from \(library) (\(pluginID) \(version))"]
    let about = [vendor, license, url].compactMap { $0 }
    if !about.isEmpty { lines.append(about.joined(separator: ", ")) }
    let shown = zip(options, expectations).filter { all || !$0.0.advanced }
    if !shown.isEmpty {
      lines += ["", "options:"]
      let rows = shown.map { option, expectation in
        let preset = option.defaultText.map { "default \($0.isEmpty ? "none" : $0)" }
        let note = option.deprecated ? " (deprecated)" : ""
        return [
          "  \(option.name)", expectation, preset ?? "required", option.doc + note,
        ]
      }
      lines += columns(rows)
    }
    return lines.joined(separator: "\n")
  }
}

/// Rows of cells, each column as wide as its widest cell, the last as it is.
private func columns(_ rows: [[String]]) -> [String] {
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
