import CSparPlugin

/// What a plugin may ask of the program that loaded it.
public struct PluginHostLink {
  /// The table given to `init`; NULL before.  Written once, on the main thread, before any other
  /// call of the plugin, hence unguarded.
  nonisolated(unsafe) public internal(set) static var current: UnsafePointer<spar_host>?

  public let table: UnsafePointer<spar_host>

  public init(_ table: UnsafePointer<spar_host>) {
    self.table = table
  }

  public var isCancelled: Bool { table.pointee.cancelled(table) != 0 }

  public func log(_ text: String, level: Int = Int(SPAR_LOG_INFO)) {
    table.pointee.log(table, Int32(level), text)
  }

  /// A versioned interface of the host, or NULL when this host has none of that id.
  public func `extension`(_ id: String) -> UnsafeRawPointer? {
    table.pointee.extension(table, id)
  }
}
