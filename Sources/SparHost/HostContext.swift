import CSparPlugin
import CSparThreads
import Glibc
import SparTensor
import Synchronization

/// How grave a line of a plugin's log is.
public enum PluginLogLevel: Int32, Sendable, Comparable {
  case debug = 0
  case info, warning, error

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The host as plugins see it: the table `spar_host` and what its functions work on.
///
/// Plugins may keep the table until the process ends, so a context is never freed.
final class HostContext: @unchecked Sendable {
  // Unchecked: `table` points at memory that is written in init only; all else is guarded.

  let threads: Int32
  let log: @Sendable (PluginLogLevel, String) -> Void
  let cancelled = Atomic<Bool>(false)
  private let extensions = Mutex<[String: Lent]>([:])
  private let team = Mutex<Team>(Team())
  private let cacheDirectory: UnsafeMutablePointer<CChar>?
  let table: UnsafePointer<spar_host>

  /// An interface of an upper floor, which keeps it alive and guards it.
  private struct Lent: @unchecked Sendable {
    var pointer: UnsafeRawPointer
  }

  private struct Team: @unchecked Sendable {
    var started = false
    var pointer: OpaquePointer?
  }

  init(
    threads: Int, cacheDirectory: String?,
    log: @escaping @Sendable (PluginLogLevel, String) -> Void
  ) {
    self.threads = Int32(clamping: max(threads, 1))
    self.log = log
    self.cacheDirectory = cacheDirectory.map { strdup($0) }
    let table = UnsafeMutablePointer<spar_host>.allocate(capacity: 1)
    self.table = UnsafePointer(table)
    table.initialize(to: spar_host())
    table.pointee.struct_size = UInt64(MemoryLayout<spar_host>.size)
    table.pointee.generation = UInt32(SPAR_ABI_GENERATION)
    table.pointee.revision = UInt32(SPAR_ABI_REVISION)
    table.pointee.name = UnsafePointer(strdup("spar"))
    table.pointee.version = UnsafePointer(strdup("0.1.0"))
    table.pointee.ctx = Unmanaged.passRetained(self).toOpaque()
    fillFunctions(table)
  }

  var cacheDirectoryPointer: UnsafePointer<CChar>? { UnsafePointer(cacheDirectory) }

  func register(_ id: String, _ pointer: UnsafeRawPointer) {
    let lent = Lent(pointer: pointer)
    extensions.withLock { $0[id] = lent }
  }

  fileprivate func find(_ id: String) -> UnsafeRawPointer? {
    extensions.withLock { $0[id] }?.pointer
  }

  /// The team starts with the first loop: listing plugins must not start threads.
  fileprivate func runningTeam() -> OpaquePointer? {
    let current = team.withLock { team in
      if !team.started {
        team.started = true
        team.pointer = spar_team_create(threads)
      }
      return team
    }
    return current.pointer
  }

  fileprivate static func of(_ host: UnsafePointer<spar_host>?) -> HostContext? {
    host?.pointee.ctx.map { Unmanaged<HostContext>.fromOpaque($0).takeUnretainedValue() }
  }
}

private func fillFunctions(_ table: UnsafeMutablePointer<spar_host>) {
  table.pointee.alloc = { _, bytes, align in
    SystemMemory.allocate(Int(max(bytes, 1)), alignment: Int(max(align, 16)))
  }
  table.pointee.free = { _, memory, _, _ in free(memory) }
  table.pointee.log = { host, level, text in
    guard let text else { return }
    HostContext.of(host)?.log(PluginLogLevel(rawValue: level) ?? .error, String(cString: text))
  }
  table.pointee.set_error = { _, text in ThreadErrorText.set(text) }
  table.pointee.parallel_for = { host, n, grain, body, argument in
    guard let body, n > 0 else { return }
    let grain = max(grain, 1)
    if let team = HostContext.of(host)?.runningTeam() {
      spar_team_for(team, n, grain, body, argument)
      return
    }
    // No team to be had: the same slices, one after another.
    var begin: Int64 = 0
    while begin < n {
      let end = n - begin > grain ? begin + grain : n
      body(argument, begin, end, 0)
      begin = end
    }
  }
  table.pointee.thread_count = { host in HostContext.of(host)?.threads ?? 1 }
  table.pointee.cancelled = { host in
    HostContext.of(host).map { $0.cancelled.load(ordering: .relaxed) ? 1 : 0 } ?? 0
  }
  table.pointee.extension = { host, id in
    guard let id else { return nil }
    return HostContext.of(host)?.find(String(cString: id))
  }
}
