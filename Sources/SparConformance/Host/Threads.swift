import Glibc
import Synchronization

/// Runs `body` on `count` threads at once; returns the first text that one of them gives.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> String?) -> String? {
  let shared = ThreadWork(body)
  var threads: [pthread_t] = []
  for index in 0..<count {
    let start = Unmanaged.passRetained(ThreadStart(index, shared)).toOpaque()
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let start = Unmanaged<ThreadStart>.fromOpaque(raw).takeRetainedValue()
        start.work.run(start.index)
        return nil
      }, start)
    precondition(status == 0, "cannot start a thread: \(systemText(status))")
    threads.append(thread)
  }
  for thread in threads { pthread_join(thread, nil) }
  return shared.found.withLock { $0 }
}

private final class ThreadWork: Sendable {
  let found = Mutex<String?>(nil)
  let body: @Sendable (Int) -> String?

  init(_ body: @escaping @Sendable (Int) -> String?) { self.body = body }

  func run(_ index: Int) {
    guard let text = body(index) else { return }
    found.withLock { $0 = $0 ?? text }
  }
}

private final class ThreadStart: Sendable {
  let index: Int
  let work: ThreadWork

  init(_ index: Int, _ work: ThreadWork) {
    self.index = index
    self.work = work
  }
}
