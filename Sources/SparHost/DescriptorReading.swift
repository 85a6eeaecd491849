import CSparPlugin

/// What is wrong with a part of a descriptor.
struct DescriptorFault: Error {
  var part: String
  var what: String
}

/// Reads the static tables that a plugin's entry returned, believing nothing that can be checked.
struct DescriptorReading {
  private let table: UnsafeRawPointer
  private let plugin: spar_plugin
  let library: PluginLibrary

  init(
    _ table: UnsafeRawPointer, path: String?, origin: PluginSearch.Origin
  ) throws(DescriptorFault) {
    try checkSize(
      table, part: "the plugin", atLeast: MemoryLayout<spar_plugin>.offset(of: \.`init`))
    let plugin = adopt(table, as: spar_plugin.self)
    guard plugin.generation == SPAR_ABI_GENERATION else {
      throw DescriptorFault(
        part: "the plugin", what: "says generation \(plugin.generation), its entry says 1")
    }
    guard let id = text(plugin.id), let name = text(plugin.name) else {
      throw DescriptorFault(part: "the plugin", what: "has no id or no name")
    }
    guard let components = plugin.components, 1...1000 ~= plugin.n_components else {
      throw DescriptorFault(
        part: "the plugin", what: "offers \(plugin.n_components) components, 1 to 1000 can be")
    }
    try checkSize(
      components, part: "the table of components",
      atLeast: MemoryLayout<spar_component>.offset(of: \.extension))
    self.table = table
    self.plugin = plugin
    library = PluginLibrary(
      path: path, origin: origin, id: id, name: name, version: text(plugin.version) ?? "?",
      vendor: text(plugin.vendor), license: text(plugin.license), url: text(plugin.url))
  }

  /// The good components, and what is wrong with the others.
  func components() -> (good: [PluginComponent], faults: [DescriptorFault]) {
    var good: [PluginComponent] = []
    var faults: [DescriptorFault] = []
    for index in 0..<plugin.n_components {
      do throws(DescriptorFault) {
        let component = try component(index)
        guard !good.contains(where: { $0.kind == component.kind && $0.id == component.id }) else {
          throw DescriptorFault(
            part: "\(component.kind) \(component.id)", what: "stands there twice")
        }
        good.append(component)
      } catch {
        faults.append(error)
      }
    }
    return (good, faults)
  }

  private func component(_ index: UInt64) throws(DescriptorFault) -> PluginComponent {
    let place = "component \(index)"
    guard let entry = spar_at(plugin.components, index) else {
      throw DescriptorFault(part: place, what: "is missing")
    }
    let raw = adopt(entry, as: spar_component.self)
    guard let kind = PluginKind(abi: raw.kind) else {
      throw DescriptorFault(part: place, what: "is of the unknown kind \(raw.kind)")
    }
    guard let id = text(raw.id), isKebab(id) else {
      throw DescriptorFault(part: place, what: "has no id, or one outside [a-z0-9-]")
    }
    let part = "\(kind) \(id)"
    guard raw.create != nil, raw.destroy != nil, let api = raw.api else {
      throw DescriptorFault(part: part, what: "lacks create, destroy or api")
    }
    guard let name = text(raw.name), let doc = text(raw.doc) else {
      throw DescriptorFault(part: part, what: "lacks a name or a doc")
    }
    try checkSize(api, part: "the api of \(part)", atLeast: 16)
    let lacks: String? =
      switch kind {
      case .objective where adopt(api, as: spar_objective_api.self).evaluate == nil: "evaluate"
      case .ranker where adopt(api, as: spar_ranker_api.self).rank == nil: "rank"
      default: nil
      }
    if let lacks { throw DescriptorFault(part: "the api of \(part)", what: "lacks \(lacks)") }
    let about = ComponentDoc(doc)
    return PluginComponent(
      kind: kind, id: id, name: name, doc: about.sentence, formula: about.formula,
      paper: about.paper, options: try options(raw, part), library: library, raw: raw,
      plugin: plugin, identity: table)
  }

  private func options(
    _ raw: spar_component, _ part: String
  ) throws(DescriptorFault) -> [OptionSchema] {
    guard raw.n_params > 0 else { return [] }
    guard let table = raw.params, raw.n_params <= 1000 else {
      throw DescriptorFault(part: part, what: "has \(raw.n_params) options and no table of them")
    }
    try checkSize(
      table, part: "the options of \(part)", atLeast: MemoryLayout<spar_param>.size)
    var schemas: [OptionSchema] = []
    for index in 0..<raw.n_params {
      guard let entry = spar_at(table, index) else { continue }
      let schema = try schema(adopt(entry, as: spar_param.self), "option \(index) of \(part)")
      guard !schemas.contains(where: { $0.name == schema.name }) else {
        throw DescriptorFault(part: part, what: "has option \(schema.name) twice")
      }
      schemas.append(schema)
    }
    return schemas
  }

  private func schema(
    _ param: spar_param, _ place: String
  ) throws(DescriptorFault) -> OptionSchema {
    guard let name = text(param.name), isKebab(name), let doc = text(param.doc) else {
      throw DescriptorFault(part: place, what: "has no kebab-case name or no doc")
    }
    let part = "\(place), \(name),"
    guard let type = OptionType(abi: param.type) else {
      throw DescriptorFault(part: part, what: "is of the unknown type \(param.type)")
    }
    func has(_ flag: Int) -> Bool { Int(param.flags) & flag != 0 }
    var range: ClosedRange<Double>?
    if has(Int(SPAR_P_RANGE)) {
      guard param.min <= param.max else {
        throw DescriptorFault(part: part, what: "has the range \(param.min) to \(param.max)")
      }
      range = param.min...param.max
    }
    var choices: [String] = []
    var next = param.choices
    while let list = next, let choice = list.pointee, choices.count < 1000 {
      choices.append(String(cString: choice))
      next = list + 1
    }
    if type == .choice, choices.isEmpty {
      throw DescriptorFault(part: part, what: "is an enum without choices")
    }
    let required = has(Int(SPAR_P_REQUIRED))
    var defaultText = required ? nil : param.default_text.map { String(cString: $0) }
    if !required, defaultText == nil, type == .string || type == .path { defaultText = "" }
    let schema = OptionSchema(
      name: name, doc: doc, unit: text(param.unit), defaultText: defaultText, choices: choices,
      range: range, type: type, required: required, advanced: has(Int(SPAR_P_ADVANCED)),
      deprecated: has(Int(SPAR_P_DEPRECATED)))
    if required { return schema }
    guard let defaultText else { throw DescriptorFault(part: part, what: "has no default") }
    do throws(OptionError) {
      _ = try schema.parse(defaultText)
    } catch {
      throw DescriptorFault(part: part, what: "has a default that it refuses: \(error)")
    }
    return schema
  }
}

extension OptionType {
  fileprivate init?(abi: UInt32) {
    switch Int(abi) {
    case SPAR_T_BOOL: self = .bool
    case SPAR_T_INT: self = .int
    case SPAR_T_FLOAT: self = .float
    case SPAR_T_STRING: self = .string
    case SPAR_T_ENUM: self = .choice
    case SPAR_T_PATH: self = .path
    default: return nil
    }
  }
}

/// A [grows] struct must at least hold what this host cannot do without, and be no nonsense.
private func checkSize(
  _ pointer: UnsafeRawPointer, part: String, atLeast least: Int?
) throws(DescriptorFault) {
  let size = declaredSize(pointer)
  guard size >= least ?? 8, size <= 65536, size % 8 == 0 else {
    throw DescriptorFault(
      part: part, what: "says that it has \(size) bytes; \(least ?? 8) are the least")
  }
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
  guard let pointer, pointer.pointee != 0 else { return nil }
  return String(cString: pointer)
}

private func isKebab(_ name: String) -> Bool {
  !name.isEmpty
    && name.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
    }
}
