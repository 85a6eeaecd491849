import CSparPlugin
import CSparThreads
import Glibc
import Synchronization

/// A host that watches its plugin: what it allocates, frees, asks for and says.
///
/// Plugins may keep the table for ever, so a host is never freed.
final class RecordingHost: @unchecked Sendable {
  // Unchecked: `table` is written in init only, all else is behind `state`.

  /// What the plugin did to this host.
  struct State {
    struct Block {
      var bytes: UInt64
      var alignment: UInt64
      var front: Int
    }
    var live: [UInt: Block] = [:]
    var allocations = 0
    /// The allocation that answers NULL, counted from 0 since `failAllocation`.
    var failing: Int?
    /// Misuse of alloc and free.
    var faults: [String] = []
    var errorTexts: [UInt: String] = [:]
    var logged: [String] = []
    var askedFor: Set<String> = []
    var threads: Int32 = 2
    var teams: [Int32: Team] = [:]
  }

  struct Team: @unchecked Sendable {
    var pointer: OpaquePointer?
  }

  let state = Mutex(State())
  /// Extensions of upper floors by id.
  let lend: @Sendable (String) -> UnsafeRawPointer?
  private(set) var table: UnsafePointer<spar_host>
  private let arena = GuardedArena()
  static let zone = 64
  static let canary: UInt8 = 0xC5

  init(_ age: HostAge, lend: @escaping @Sendable (String) -> UnsafeRawPointer?) {
    self.lend = lend
    var host = spar_host()
    host.generation = SPAR_ABI_GENERATION
    host.revision = age == .future ? SPAR_ABI_REVISION + 1 : 0
    host.name = arena.text("spar plugin check")
    host.version = arena.text("0")
    fillFunctions(&host)
    // Every member of revision 0 is set, so the oldest host is no shorter than this one today.
    let placed = arena.structure(host, age)
    table = UnsafePointer(placed)
    placed.pointee.ctx = Unmanaged.passRetained(self).toOpaque()
  }

  static func of(_ host: UnsafePointer<spar_host>?) -> RecordingHost? {
    host?.pointee.ctx.map { Unmanaged<RecordingHost>.fromOpaque($0).takeUnretainedValue() }
  }

  /// The budget that plugins are told, and the size of the team that runs their loops.
  func setThreads(_ count: Int32) {
    state.withLock { $0.threads = count }
  }

  /// Makes the n-th allocation from now fail, once; nil = none.
  func failAllocation(_ n: Int?) {
    state.withLock {
      $0.failing = n
      $0.allocations = 0
    }
  }

  /// Bytes that the plugin holds.
  var held: UInt64 { state.withLock { $0.live.values.reduce(0) { $0 + $1.bytes } } }
  var allocations: Int { state.withLock { $0.allocations } }
  var faults: [String] { state.withLock { $0.faults } }
  var askedFor: Set<String> { state.withLock { $0.askedFor } }

  /// Runs a call and takes the error text that it left on this thread.
  func call(_ body: () -> spar_status) -> Outcome {
    let me = UInt(pthread_self())
    _ = state.withLock { $0.errorTexts.removeValue(forKey: me) }
    let status = body()
    return Outcome(
      status: status, text: state.withLock { $0.errorTexts.removeValue(forKey: me) })
  }

  fileprivate func team() -> OpaquePointer? {
    let team = state.withLock { state -> Team in
      let threads = state.threads
      if let known = state.teams[threads] { return known }
      let fresh = Team(pointer: spar_team_create(threads))
      state.teams[threads] = fresh
      return fresh
    }
    return team.pointer
  }
}

/// What a function of a plugin answered.
struct Outcome {
  var status: spar_status
  var text: String?

  var isOK: Bool { status == spar_status(SPAR_OK) }
  var isUnsupported: Bool { status == spar_status(SPAR_UNSUPPORTED) }
  var isEnvironment: Bool {
    [SPAR_E_NOMEM, SPAR_E_IO, SPAR_E_DEVICE].contains(Int(status))
  }

  /// "status 2, "beta must be positive"".
  var description: String {
    "status \(status), \(text.map { "\"\(excerpt($0))\"" } ?? "without a text")"
  }

  /// An error must come with its reason; UNSUPPORTED is none.
  func requireText(_ doing: String) throws {
    guard !isOK, !isUnsupported, text?.isEmpty ?? true else { return }
    throw Violation("\(doing) returned status \(status) and set no error text")
  }

  func requireOK(_ doing: String) throws {
    try require(isOK, "\(doing) returned \(description)")
  }
}

private func fillFunctions(_ host: inout spar_host) {
  host.alloc = { RecordingHost.of($0)?.allocate($1, $2) }
  host.free = { RecordingHost.of($0)?.release($1, $2, $3) }
  host.log = { host, _, text in
    guard let text else { return }
    let line = String(cString: text)
    RecordingHost.of(host)?.state.withLock { $0.logged.append(line) }
  }
  host.set_error = { host, text in
    let line = text.map { String(cString: $0) } ?? ""
    let me = UInt(pthread_self())
    RecordingHost.of(host)?.state.withLock { $0.errorTexts[me] = line }
  }
  host.parallel_for = { host, n, grain, body, argument in
    guard let body, n > 0 else { return }
    if let team = RecordingHost.of(host)?.team() {
      spar_team_for(team, n, max(grain, 1), body, argument)
      return
    }
    for begin in stride(from: 0, to: n, by: Int64.Stride(max(grain, 1))) {
      body(argument, begin, min(begin + max(grain, 1), n), 0)
    }
  }
  host.thread_count = { RecordingHost.of($0)?.state.withLock { $0.threads } ?? 1 }
  host.cancelled = { _ in 0 }
  host.extension = { host, id in
    guard let id, let found = RecordingHost.of(host) else { return nil }
    let name = String(cString: id)
    found.state.withLock { _ = $0.askedFor.insert(name) }
    return found.lend(name)
  }
}

extension RecordingHost {
  /// A block between two zones of canaries.
  fileprivate func allocate(_ bytes: UInt64, _ alignment: UInt64) -> UnsafeMutableRawPointer? {
    let refuse = state.withLock { state -> Bool in
      defer { state.allocations += 1 }
      guard alignment.nonzeroBitCount == 1 else {
        state.faults.append("alloc with alignment \(alignment), which is no power of two")
        return true
      }
      guard state.failing == state.allocations else { return false }
      state.failing = nil
      return true
    }
    guard !refuse, bytes < 1 << 40 else { return nil }
    let front = max(Int(alignment), Self.zone)
    let total = front + Int(bytes) + Self.zone
    var start: UnsafeMutableRawPointer?
    guard posix_memalign(&start, max(Int(alignment), 16), total) == 0, let start else {
      return nil
    }
    memset(start, Int32(Self.canary), total)
    let memory = start + front
    state.withLock {
      $0.live[UInt(bitPattern: memory)] = .init(bytes: bytes, alignment: alignment, front: front)
    }
    return memory
  }

  fileprivate func release(
    _ memory: UnsafeMutableRawPointer?, _ bytes: UInt64, _ alignment: UInt64
  ) {
    guard let memory else { return }
    let block = state.withLock { state -> State.Block? in
      guard let block = state.live.removeValue(forKey: UInt(bitPattern: memory)) else {
        state.faults.append("free of memory that this host did not give, or freed before")
        return nil
      }
      if block.bytes != bytes || block.alignment != alignment {
        state.faults.append(
          "free with \(bytes) bytes aligned to \(alignment) of a block that was allocated with "
            + "\(block.bytes) and \(block.alignment)")
      }
      return block
    }
    guard let block else { return }
    let written = [
      UnsafeRawBufferPointer(start: memory - Self.zone, count: Self.zone),
      UnsafeRawBufferPointer(start: memory + Int(block.bytes), count: Self.zone),
    ].contains { $0.contains { $0 != Self.canary } }
    if written {
      state.withLock {
        $0.faults.append("a write outside a block of \(block.bytes) bytes from host->alloc")
      }
    }
    free(memory - block.front)
  }
}
