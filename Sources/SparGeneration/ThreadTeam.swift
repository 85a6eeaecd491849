import CSparThreads

/// Threads for loops of the host's own, such as sampling; see spar_threads.h.
final class ThreadTeam {
  private let team: OpaquePointer?

  init(threads: Int) { team = spar_team_create(Int32(threads)) }

  deinit {
    if let team { spar_team_destroy(team) }
  }

  /// Runs `body` for each of 0..<count, on several threads; returns when all are done.
  func forEach(_ count: Int, _ body: (Int) -> Void) {
    guard let team else {
      (0..<count).forEach(body)
      return
    }
    withoutActuallyEscaping(body) { escaping in
      var holder: (Int) -> Void = escaping
      withUnsafeMutablePointer(to: &holder) { pointer in
        spar_team_for(
          team, Int64(count), 1,
          { context, begin, end, _ in
            guard let body = context?.assumingMemoryBound(to: ((Int) -> Void).self) else { return }
            for index in begin..<end { body.pointee(Int(index)) }
          }, pointer)
      }
      holder = { _ in }
    }
  }
}
