import CSparPlugin

/// The C function that makes an instance: `{ host, info, out in construct(host, info, out) { … } }`.
public typealias CreateFunction =
  @convention(c) (
    UnsafePointer<spar_host>?, UnsafePointer<spar_create_info>?,
    UnsafeMutablePointer<UnsafeMutableRawPointer?>?
  ) -> spar_status

/// One thing that a plugin offers: its description and the tables behind it.
public struct Component {
  var kind: UInt32
  var id: String
  var name: String
  /// See `componentDoc`.
  var doc: String
  var options: [Option]
  var create: CreateFunction
  var api: UnsafeRawPointer

  func fill(_ entry: inout spar_component) {
    entry.struct_size = UInt64(MemoryLayout<spar_component>.size)
    entry.kind = kind
    entry.id = foreverText(id)
    entry.name = foreverText(name)
    entry.doc = foreverText(doc)
    entry.n_params = UInt64(options.count)
    if !options.isEmpty {
      entry.params = foreverArray(count: options.count) { table in
        for (i, option) in options.enumerated() { option.fill(&table[i]) }
      }
    }
    entry.create = create
    entry.destroy = { me in
      if let me { Unmanaged<Instance>.fromOpaque(me).release() }
    }
    entry.api = api
  }
}

/// A sentence, and where given the formula ("L = …") and the paper, as the interface has them.
func componentDoc(_ sentence: String, formula: String?, paper: String?) -> String {
  ([sentence] + [formula.map { "formula: " + $0 }, paper.map { "paper: " + $0 }].compactMap { $0 })
    .joined(separator: "\n")
}

/// What `self` points at: a box, so that one C function serves every type of a kind.
public final class Instance {
  let value: AnyObject

  init(_ value: AnyObject) {
    self.value = value
  }
}

/// The object behind the `self` of a call.
func object<Kind>(_ me: UnsafeMutableRawPointer?, as kind: Kind.Type) throws -> Kind {
  guard let me else { throw PluginFailure("called without an instance") }
  guard let value = Unmanaged<Instance>.fromOpaque(me).takeUnretainedValue().value as? Kind else {
    throw PluginFailure("called on an instance of another kind", status: Int(SPAR_E_INTERNAL))
  }
  return value
}

/// The body of every `create`: makes the object and hands its box to the host.
public func construct(
  _ host: UnsafePointer<spar_host>?, _ info: UnsafePointer<spar_create_info>?,
  _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  _ make: (OptionValues, PluginHostLink) throws -> AnyObject
) -> spar_status {
  guarded(host) {
    guard let host, let info, let out else { throw PluginFailure("create needs all arguments") }
    let options = OptionValues(info)
    let instance = Instance(try make(options, PluginHostLink(host)))
    try options.requireComplete()
    out.pointee = Unmanaged.passRetained(instance).toOpaque()
  }
}

/// What the entry returns.
public func plugin(
  id: String, name: String, version: String, vendor: String = "Spar",
  components: [Component]
) -> UnsafePointer<spar_plugin> {
  forever {
    $0.struct_size = UInt64(MemoryLayout<spar_plugin>.size)
    $0.generation = 1
    $0.id = foreverText(id)
    $0.name = foreverText(name)
    $0.version = foreverText(version)
    $0.vendor = foreverText(vendor)
    $0.n_components = UInt64(components.count)
    $0.components = foreverArray(count: components.count) { table in
      for (i, component) in components.enumerated() { component.fill(&table[i]) }
    }
    $0.`init` = { host in
      PluginHostLink.current = host
      return spar_status(SPAR_OK)
    }
  }
}
