import CSparPlugin
import SparTensor

/// Memory that a plugin places: its `buffer_alloc` and `buffer_free`.
struct BackendMemory: MemorySource, @unchecked Sendable {
  // Unchecked: the table is immutable, and buffer_free is [any].

  private let allocation:
    (UnsafeMutableRawPointer?, UInt64, UInt32, UnsafeMutablePointer<spar_buffer>?)
      -> spar_status
  private let release: (UnsafeMutableRawPointer?, UnsafeMutablePointer<spar_buffer>?) -> Void
  private let instance: UnsafeMutableRawPointer?
  /// Blocks may outlive the backend.
  private let owner: AnyObject?

  /// nil for a plugin without memory of its own.
  init?(_ api: spar_backend_api, _ instance: UnsafeMutableRawPointer?, owner: AnyObject?) {
    guard let allocation = api.buffer_alloc, let release = api.buffer_free else { return nil }
    self.allocation = { allocation($0, $1, $2, $3) }
    self.release = { release($0, $1) }
    self.instance = instance
    self.owner = owner
  }

  /// nil where the plugin declines or fails, and for memory that this process cannot address: then
  /// the system's allocator serves.
  func allocate(_ bytes: Int, for use: MemoryUse) -> MemoryBlock? {
    var buffer = spar_buffer()
    guard allocation(instance, UInt64(bytes), use.rawValue, &buffer) == spar_status(SPAR_OK) else {
      return nil
    }
    guard let host = buffer.host, let handle = buffer.handle else {
      release(instance, &buffer)
      return nil
    }
    return MemoryBlock(pointer: host, handle: handle)
  }

  /// Tells the plugin that the host may have written to its own view of a weight.
  static func tell(
    _ write: (
      UnsafeMutableRawPointer?, UnsafeMutablePointer<spar_buffer>?, UInt64, UnsafeRawPointer?,
      UInt64
    ) -> spar_status, _ instance: UnsafeMutableRawPointer?, _ block: MemoryBlock, bytes: Int
  ) {
    var buffer = spar_buffer(handle: block.handle, host: block.pointer, bytes: UInt64(bytes))
    // Copying nothing cannot fail.
    _ = write(instance, &buffer, 0, block.pointer, UInt64(bytes))
  }

  func free(_ block: MemoryBlock, bytes: Int) {
    var buffer = spar_buffer(handle: block.handle, host: block.pointer, bytes: UInt64(bytes))
    release(instance, &buffer)
  }
}
