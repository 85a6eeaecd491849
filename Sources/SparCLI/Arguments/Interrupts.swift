import Foundation
import Glibc
import SparHost
import SparPipeline

/// Ctrl-C: the first asks stages to stop after the piece of work at hand, the second ends at once.
enum Interrupts {
  static let interruption = Interruption()

  static func install() {
    // Kept alive by the static; a handler may only touch atomics.
    _ = interruption
    signal(SIGINT) { _ in
      Interrupts.interruption.request()
      signal(SIGINT, SIG_DFL)
    }
    signal(SIGTERM) { _ in
      Interrupts.interruption.request()
      signal(SIGTERM, SIG_DFL)
    }
    // A closed pipe is then an error of write, which says so.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Tells long work inside plugins, which look at their host's flag, from a thread of its own.
  static func watch(_ host: PluginHost) {
    let watcher = Thread {
      while !interruption.isRequested { usleep(100_000) }
      host.cancelled = true
    }
    watcher.stackSize = 1 << 16
    watcher.start()
  }
}
