import CSparPlugin
import SparModel

/// A table of C functions that the host offers as an extension, with the object that serves it.
///
/// C functions carry no context, and `open` of an extension is given only the host.  So the address
/// of the owner stands behind the table in memory, where `owner` finds it.  Plugins may keep the
/// address until the process ends: neither table nor owner is ever freed.
enum LentTable<Calls: BitwiseCopyable> {
  private static var ownerOffset: Int { MemoryLayout<Calls>.stride }

  /// The table without its owner, which `give` adds as soon as it exists.
  static func make(_ calls: Calls) -> UnsafeRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: ownerOffset + MemoryLayout<UnsafeRawPointer>.size, alignment: 16)
    memory.initializeMemory(as: Calls.self, repeating: calls, count: 1)
    return UnsafeRawPointer(memory)
  }

  static func give(_ table: UnsafeRawPointer, to owner: AnyObject) {
    UnsafeMutableRawPointer(mutating: table).storeBytes(
      of: Unmanaged.passRetained(owner).toOpaque(), toByteOffset: ownerOffset,
      as: UnsafeMutableRawPointer.self)
  }

  static func owner<Owner: AnyObject>(of table: UnsafeRawPointer, as type: Owner.Type) -> Owner {
    Unmanaged<Owner>.fromOpaque(
      table.load(fromByteOffset: ownerOffset, as: UnsafeRawPointer.self)
    ).takeUnretainedValue()
  }
}

/// Work for a plugin ended because the user asked for it.
struct CancelledByHost: Error {}

/// Nothing thrown may cross the boundary: errors become a status and the host's error text.
func reporting(
  to host: UnsafePointer<spar_host>, _ body: () throws -> Void
) -> spar_status {
  do {
    try body()
    return spar_status(SPAR_OK)
  } catch is CancelledByHost {
    host.pointee.set_error(host, "cancelled")
    return spar_status(SPAR_E_CANCELLED)
  } catch {
    host.pointee.set_error(host, "\(error)")
    return spar_status(error is ModelError ? SPAR_E_INVALID : SPAR_E_INTERNAL)
  }
}

extension spar_text {
  /// Bytes that are not UTF-8 become U+FFFD.
  var string: String {
    guard let start = p, n > 0 else { return "" }
    return String(
      decoding: UnsafeRawBufferPointer(start: start, count: Int(n)), as: UTF8.self)
  }
}

/// Holds a model only as long as somebody has it open.
struct Weakly<Model: AnyObject> {
  weak var model: Model?

  init(_ model: Model) { self.model = model }
}

/// What an open model is shared by.
struct OpenModelKey: Hashable {
  /// As the ranker's option has it.
  var path: String
  var weights: WeightsPolicy
}
