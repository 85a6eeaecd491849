import Foundation

/// Copies that a weight source makes on demand and lends until it goes.
final class LentBytes: @unchecked Sendable {  // guarded by the lock
  private let lock = NSLock()
  private var copies: [String: UnsafeMutableRawBufferPointer] = [:]

  /// The copy of that name; `fill` makes it the first time. Aligned to 64 bytes.
  func bytes(
    _ name: String, count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws -> UnsafeRawBufferPointer {
    try lock.withLock {
      if let copy = copies[name] { return UnsafeRawBufferPointer(copy) }
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
      do {
        try fill(copy)
      } catch {
        copy.deallocate()
        throw error
      }
      copies[name] = copy
      return UnsafeRawBufferPointer(copy)
    }
  }

  deinit {
    for copy in copies.values { copy.deallocate() }
  }
}
