/// What `spar plugin info ID` shows: as text (`description`) or as JSON.
public struct PluginInfo: Sendable, Codable, Equatable, CustomStringConvertible {
  public struct Option: Sendable, Codable, Equatable {
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
    /// Type, range and unit in words.
    public var expected: String

    enum CodingKeys: String, CodingKey {
      case name, type, minimum, maximum, choices, unit, doc, required, advanced, deprecated
      case expected
      case defaultText = "default_text"
    }

    init(_ schema: OptionSchema) {
      name = schema.name
      type = schema.type
      defaultText = schema.defaultText
      minimum = schema.range?.lowerBound
      maximum = schema.range?.upperBound
      choices = schema.choices
      unit = schema.unit
      doc = schema.doc
      required = schema.required
      advanced = schema.advanced
      deprecated = schema.deprecated
      expected = schema.expectation
    }
  }

  public var kind: PluginKind
  public var id: String
  public var name: String
  public var doc: String
  public var formula: String?
  public var paper: String?
  /// How an objective can be trained: "best-worst", "all-pairs", "all-answers".
  public var pairings: [String]?
  public var library: String
  /// How it was found: "--plugin-path", "SPAR_PLUGIN_PATH", …
  public var origin: PluginSearch.Origin
  public var pluginID: String
  public var version: String
  public var vendor: String?
  public var license: String?
  public var url: String?
  public var options: [Option]

  enum CodingKeys: String, CodingKey {
    case kind, id, name, doc, formula, paper, pairings, library, origin, version, vendor, license
    case url, options
    case pluginID = "plugin_id"
  }

  public init(_ component: PluginComponent) {
    kind = component.kind
    id = component.id
    name = component.name
    doc = component.doc
    formula = component.formula
    paper = component.paper
    if component.kind == .objective {
      let answers = component.needs.contains(.answers) ? ["all-answers"] : []
      pairings = ["best-worst", "all-pairs"] + answers
    }
    library = component.library.location
    origin = component.library.origin
    pluginID = component.library.id
    version = component.library.version
    vendor = component.library.vendor
    license = component.library.license
    url = component.library.url
    options = component.options.map(Option.init)
  }

  public var description: String { text(all: true) }

  /// `all`: with options that are marked advanced.
  public func text(all: Bool) -> String {
    var lines = ["\(kind) \(id): \(name)", doc] + mathematics
    lines.append("from \(library) (\(pluginID) \(version))")
    let about = [vendor, license, url].compactMap { $0 }
    if !about.isEmpty { lines.append(about.joined(separator: ", ")) }
    let shown = optionLines(all: all)
    if !shown.isEmpty { lines += ["", "options:"] + shown.map { "  " + $0 } }
    return lines.joined(separator: "\n")
  }

  /// Formula, paper and pairings, as far as there are any.
  public var mathematics: [String] {
    [formula, paper, pairings.map { "pairing: " + $0.joined(separator: ", ") }].compactMap { $0 }
  }

  /// One line an option: name, type and range, default, sentence.
  public func optionLines(all: Bool = true) -> [String] {
    columns(
      options.filter { all || !$0.advanced }.map { option in
        let preset = option.defaultText.map { "default \($0.isEmpty ? "none" : $0)" }
        let note = option.deprecated ? " (deprecated)" : ""
        return [option.name, option.expected, preset ?? "required", option.doc + note]
      })
  }
}
