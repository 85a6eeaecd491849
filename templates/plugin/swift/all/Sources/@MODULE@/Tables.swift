import CSpar

// What is the same in every plugin: tables that stay, instances, errors.

/// A zeroed C struct filled once, that never moves and is never freed: what Spar asks of tables.
func forever<T: BitwiseCopyable>(_ fill: (inout T) -> Void) -> UnsafePointer<T> {
  foreverArray(count: 1) { fill(&$0[0]) }
}

func foreverArray<T: BitwiseCopyable>(
  count: Int, _ fill: (UnsafeMutableBufferPointer<T>) -> Void
) -> UnsafePointer<T> {
  let bytes = MemoryLayout<T>.stride * max(count, 1)
  let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
  raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  let typed = raw.assumingMemoryBound(to: T.self)
  fill(UnsafeMutableBufferPointer(start: typed, count: count))
  return UnsafePointer(typed)
}

func foreverText(_ text: String) -> UnsafePointer<CChar> {
  let bytes = text.utf8CString
  return foreverArray(count: bytes.count) { copy in
    for (i, byte) in bytes.enumerated() { copy[i] = byte }
  }
}

/// Copies a struct that may be shorter or longer than ours; what its writer did not know is zero.
func adopt<T: BitwiseCopyable>(_ foreign: UnsafeRawPointer, as zero: T) -> T {
  var own = zero
  spar_adopt(&own, MemoryLayout<T>.size, foreign)
  return own
}

/// A sentence for the user.
struct Failure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// What Spar holds between `create` and `destroy`.
final class Instance<Value> {
  let value: Value
  let host: UnsafePointer<spar_host>

  init(_ value: Value, host: UnsafePointer<spar_host>) {
    self.value = value
    self.host = host
  }

  static func from(_ me: UnsafeMutableRawPointer) -> Instance {
    Unmanaged<Instance>.fromOpaque(me).takeUnretainedValue()
  }
}

/// Runs the body of a function that Spar calls: a Swift error becomes a status and a sentence.
func guarded(
  _ host: UnsafePointer<spar_host>, _ body: () throws -> Int
) -> spar_status {
  do {
    return spar_status(try body())
  } catch {
    host.pointee.set_error(host, "@NAME@: \(error)")
    return spar_status(SPAR_E_INVALID)
  }
}

/// The body of `create`: makes the value from the options and hands it to Spar.
func construct<Value>(
  _ host: UnsafePointer<spar_host>?, _ info: UnsafePointer<spar_create_info>?,
  _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  _ make: (UnsafeBufferPointer<spar_value>) throws -> Value
) -> spar_status {
  guard let host, let info, let out else { return spar_status(SPAR_E_INVALID) }
  return guarded(host) {
    let info = adopt(info, as: spar_create_info())
    let values = UnsafeBufferPointer(
      start: info.values, count: info.values == nil ? 0 : Int(info.n_values))
    let instance = Instance(try make(values), host: host)
    out.pointee = Unmanaged.passRetained(instance).toOpaque()
    return Int(SPAR_OK)
  }
}

/// What the entry returns, for one component.
func plugin(_ component: UnsafePointer<spar_component>) -> UnsafePointer<spar_plugin> {
  forever {
    $0.struct_size = UInt64(MemoryLayout<spar_plugin>.size)
    $0.generation = 1
    $0.id = foreverText("plugin.@NAME@")
    $0.name = foreverText("@NAME@")
    $0.version = foreverText("0.1.0")
    $0.vendor = foreverText("@AUTHOR@")
    $0.license = foreverText("@LICENSE@")
    $0.components = component
    $0.n_components = 1
  }
}
