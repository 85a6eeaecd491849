import CSparPlugin

/// Parallel loops on the host's threads, the same that plugins get; without a host, on one thread.
///
/// Slices have exactly the grain the caller names, so results need not depend on the thread count.
public struct ParallelLoops: @unchecked Sendable {
  // Unchecked: the host's table is immutable and lives until the process ends.
  private let host: UnsafePointer<spar_host>?

  public init(host: UnsafePointer<spar_host>? = nil) { self.host = host }

  /// Runs `body` on slices of 0..<count; returns when all are done.
  func callAsFunction(_ count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    guard count > 0 else { return }
    guard let host, let parallel = host.pointee.parallel_for, count > grain else {
      for begin in stride(from: 0, to: count, by: grain) {
        body(begin..<min(begin + grain, count))
      }
      return
    }
    withoutActuallyEscaping(body) { escaping in
      var holder: (Range<Int>) -> Void = escaping
      withUnsafeMutablePointer(to: &holder) { pointer in
        parallel(
          host, Int64(count), Int64(grain),
          { context, begin, end, _ in
            context?.assumingMemoryBound(to: ((Range<Int>) -> Void).self)
              .pointee(Int(begin)..<Int(end))
          }, pointer)
      }
      holder = { _ in }
    }
  }

  /// Slices of about 16 Ki elements: a few microseconds of work, well above the cost of a slice.
  func rows(_ rows: Rows, _ body: (Int) -> Void) {
    self(rows.count, grain: max(1, 16384 / max(1, rows.width))) { $0.forEach(body) }
  }
}
