import CSparPlugin
import Foundation

/// A host that offers extensions and remembers what was reported.
final class HostDouble {
  let table = UnsafeMutablePointer<spar_host>.allocate(capacity: 1)
  let offered: [String: UnsafeRawPointer]
  var error = ""
  var isCancelled = false

  init(_ offered: [String: UnsafeRawPointer]) {
    self.offered = offered
    table.initialize(to: spar_host())
    table.pointee.struct_size = UInt64(MemoryLayout<spar_host>.size)
    table.pointee.ctx = Unmanaged.passUnretained(self).toOpaque()
    table.pointee.extension = { host, id in
      guard let host, let id else { return nil }
      return HostDouble.of(host).offered[String(cString: id)]
    }
    table.pointee.set_error = { host, text in
      guard let host, let text else { return }
      HostDouble.of(host).error = String(cString: text)
    }
    table.pointee.cancelled = { host in
      guard let host else { return 0 }
      return HostDouble.of(host).isCancelled ? 1 : 0
    }
  }

  deinit { table.deallocate() }

  static func of(_ host: UnsafePointer<spar_host>) -> HostDouble {
    Unmanaged<HostDouble>.fromOpaque(host.pointee.ctx!).takeUnretainedValue()
  }
}
