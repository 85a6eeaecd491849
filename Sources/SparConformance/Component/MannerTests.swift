import CSparHeap
import Glibc
import SparHost

/// A plugin is a guest in somebody else's process.
let mannerTests = [
  ConformanceTest(
    "manners.process-state", .component,
    "Working directory, locale, floating-point mode and signal handlers stay as they were.",
    cure: "restore what you change before you return; set no signal handlers"
  ) { subject in
    let opened = try subject.open()
    let before = ProcessState()
    let instance = try opened.make()
    try before.requireUnchanged("create")
    try opened.exercise(instance)
    try before.requireUnchanged("a call")
    instance.destroy()
    try before.requireUnchanged("destroy")
    return nil
  },
  ConformanceTest(
    "manners.silent", .component, "Nothing is written to stdout.",
    cure: "use host->log; stdout belongs to the command that runs"
  ) { subject in
    let opened = try subject.open()
    let capture = try OutputCapture(of: [1])
    let result = Result {
      let instance = try opened.make()
      try opened.exercise(instance)
      instance.destroy()
    }
    let printed = try capture.end()
    try require(printed.isEmpty, "it prints \"\(excerpt(printed))\"")
    try result.get()
    return nil
  },
  ConformanceTest(
    "manners.frees-memory", .component,
    "What an instance allocates is free after destroy, block by block as it was got.",
    cure: "pair every host->alloc with host->free of the same bytes and alignment, and every "
      + "malloc with free"
  ) { subject in
    let opened = try subject.open()
    let before = opened.host.held
    let cycle = {
      let instance = try opened.make()
      try opened.exercise(instance)
      subject.doing("destroy")
      instance.destroy()
    }
    try cycle()
    try require(
      opened.host.held == before,
      "\(opened.host.held - before) bytes from host->alloc are held after destroy")
    try require(opened.host.faults.isEmpty, opened.host.faults.first ?? "")
    return try checkHeap(cycle)
  },
]

/// Repeats a cycle and watches the C heap: growth that goes on is a leak.
private func checkHeap(_ cycle: () throws -> Void) throws -> String {
  let start = processorSeconds()
  for _ in 0..<3 { try cycle() }
  let each = max((processorSeconds() - start) / 3, 1e-5)
  let rounds = Int(min(200, 0.4 / each))
  guard rounds >= 8 else { return "host->alloc only: cycles are too slow to watch the C heap" }
  var growth: [Int] = []
  for _ in 0..<3 {
    let before = Int(spar_heap_bytes())
    for _ in 0..<rounds { try cycle() }
    growth.append(Int(spar_heap_bytes()) - before)
  }
  let each3 = growth.map { Double($0) / Double(rounds) }
  let least = each3.min() ?? 0
  try require(
    least < 16,
    "the C heap grows by \(Int(least)) bytes for every instance that was made and destroyed")
  return "\(3 * rounds) instances"
}

/// What a process shares with its plugins.
private struct ProcessState {
  let folder: String
  let locale: String
  let handlers: [[UInt8]]
  let floatingPoint: UInt32
  let mask: [UInt8]

  init() {
    let raw = getcwd(nil, 0)
    folder = raw.map { String(cString: $0) } ?? ""
    free(raw)
    locale = setlocale(LC_ALL, nil).map { String(cString: $0) } ?? ""
    handlers = (1..<32).map { signal in
      var action = sigaction()
      _ = sigaction(Int32(signal), nil, &action)
      return withUnsafeBytes(of: action) { Array($0.prefix(MemoryLayout<Int>.size)) }
    }
    floatingPoint = Self.floatingPointMode()
    var blocked = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &blocked)
    mask = withUnsafeBytes(of: blocked) { Array($0) }
  }

  /// Rounding, flush-to-zero and trap bits; not the flags that every operation sets.
  private static func floatingPointMode() -> UInt32 {
    var environment = fenv_t()
    fegetenv(&environment)
    #if arch(x86_64)
      return environment.__mxcsr & 0xFFC0
    #else
      return UInt32(truncatingIfNeeded: environment.__fpcr)
    #endif
  }

  func requireUnchanged(_ doing: String) throws {
    let now = ProcessState()
    try require(
      now.folder == folder, "\(doing) changes the working directory to \(now.folder)")
    try require(now.locale == locale, "\(doing) changes the locale to \(now.locale)")
    try require(
      now.floatingPoint == floatingPoint,
      "\(doing) leaves the floating-point mode \(String(now.floatingPoint, radix: 16)), was "
        + String(floatingPoint, radix: 16))
    for (index, (old, new)) in zip(handlers, now.handlers).enumerated() where old != new {
      throw Violation("\(doing) changes the handler of \(signalName(Int32(index + 1)))")
    }
    try require(now.mask == mask, "\(doing) changes the signal mask")
  }
}
