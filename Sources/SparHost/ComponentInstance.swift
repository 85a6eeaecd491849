import CSparPlugin
import Synchronization

/// What `create` of a component made; destroyed with this object.
final class ComponentInstance: @unchecked Sendable {
  // Unchecked: `pointer` is the plugin's, used as the ABI's thread tags of each call allow.

  let component: PluginComponent
  let pointer: UnsafeMutableRawPointer?

  /// Throws what the plugin's init, probe or create says.
  init(
    _ component: PluginComponent, options: [String: String], context: HostContext, threads: Int
  ) throws(PluginError) {
    let checked = try component.check(options)
    try initialise(component, context)
    let (score, why) = try probe(component, context)
    guard score > 0 else {
      throw .unusable(component: component.id, library: component.library.location, why: why)
    }
    var arena = CallArena()
    var values: [spar_value] = []
    for option in checked { values.append(option.abi(text: arena.text(option.value.text))) }
    var info = spar_create_info()
    info.struct_size = UInt64(MemoryLayout<spar_create_info>.size)
    info.values = UnsafePointer(arena.copy(values))
    info.n_values = UInt64(values.count)
    info.threads = Int32(clamping: threads)
    info.cache_dir = context.cacheDirectoryPointer
    var made: UnsafeMutableRawPointer?
    try check(component, "create") { component.raw.create(context.table, &info, &made) }
    self.component = component
    pointer = made
  }

  deinit {
    component.raw.destroy(pointer)
  }
}

extension CheckedOption {
  /// The option as the ABI passes it.  `text`: its value spelled out, alive as long as the result.
  package func abi(text: UnsafePointer<CChar>) -> spar_value {
    var abi = spar_value()
    abi.s = text
    abi.given = given ? 1 : 0
    let type: Int
    switch value {
    case .bool(let value):
      type = Int(SPAR_T_BOOL)
      abi.i = value ? 1 : 0
    case .int(let value):
      type = Int(SPAR_T_INT)
      abi.i = value
      abi.f = Double(value)
    case .float(let value):
      type = Int(SPAR_T_FLOAT)
      abi.f = value
    case .string: type = Int(SPAR_T_STRING)
    case .choice(let index, _):
      type = Int(SPAR_T_ENUM)
      abi.i = Int64(index)
    case .path: type = Int(SPAR_T_PATH)
    }
    abi.type = UInt32(type)
    return abi
  }
}

/// Runs a call of a component; a nonzero status becomes an error with the thread's text.
func check(
  _ component: PluginComponent, _ doing: String, _ call: () -> spar_status
) throws(PluginError) {
  ThreadErrorText.set(nil)
  let status = call()
  guard status != spar_status(SPAR_OK) else { return }
  throw .failed(
    component: component.id, library: component.library.location, doing: doing, status: status,
    text: ThreadErrorText.take())
}

/// Libraries whose init has run.  One for the process: a library is loaded once, however many
/// hosts there are, and must be told once.
private let initialised = Mutex<Set<UInt>>([])

func initialise(_ component: PluginComponent, _ context: HostContext) throws(PluginError) {
  guard let start = component.plugin.`init` else { return }
  let identity = UInt(bitPattern: component.identity)
  let failure: PluginError? = initialised.withLock { done in
    if done.contains(identity) { return nil }
    do throws(PluginError) {
      try check(component, "init") { start(context.table) }
    } catch {
      return error
    }
    done.insert(identity)
    return nil
  }
  if let failure { throw failure }
}

/// The score of a component on this machine, and why it is 0 if the component says so.
func probe(
  _ component: PluginComponent, _ context: HostContext
) throws(PluginError) -> (score: Int, why: String?) {
  guard let ask = component.raw.probe else { return (100, nil) }
  try initialise(component, context)
  ThreadErrorText.set(nil)
  var score: Int32 = 0
  let status = ask(context.table, &score)
  let why = ThreadErrorText.take()
  return status == spar_status(SPAR_OK) ? (Int(score), why) : (0, why ?? statusName(status))
}
