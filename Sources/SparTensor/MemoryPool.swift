import Glibc
import Synchronization

/// What a tensor holds; a backend may place each kind in its own way.  Raw values are those of the
/// plugin ABI (SPAR_BUF_*).
public enum MemoryUse: UInt32, Hashable, Sendable {
  case weights = 1
  case activations = 2
  /// Gradients and the optimizer's state: of a weight's shape, walked with it.
  case optimizer = 3
  case keyValueCache = 4
}

/// A block of host memory; `handle` is its owner's, nil for the system's allocator.
public struct MemoryBlock: @unchecked Sendable {
  public var pointer: UnsafeMutableRawPointer
  public var handle: UnsafeMutableRawPointer?

  public init(pointer: UnsafeMutableRawPointer, handle: UnsafeMutableRawPointer? = nil) {
    self.pointer = pointer
    self.handle = handle
  }
}

/// Who gives memory that has a place, such as a backend that knows memory nodes.
public protocol MemorySource: Sendable {
  /// nil: the system's allocator shall serve.
  func allocate(_ bytes: Int, for use: MemoryUse) -> MemoryBlock?
  /// Any thread.  `block` has a handle.
  func free(_ block: MemoryBlock, bytes: Int)
}

/// Recycles blocks of 64-byte aligned host memory, so that steady state allocates nothing.
///
/// Blocks are kept by size class; classes are a quarter of a power of two apart, so a tensor whose
/// row count changes from batch to batch finds the block of the previous one.
public final class MemoryPool: Sendable {
  private struct Shelf: Hashable {
    var size: Int
    var use: MemoryUse
  }
  private struct State {
    var free: [Shelf: [MemoryBlock]] = [:]
    var cachedBytes = 0
    var usedBytes = 0
    var peakBytes = 0
  }
  private let state = Mutex(State())
  /// Free blocks beyond this many bytes go back to the system.
  private let cacheLimit: Int

  private let source: (any MemorySource)?

  public init(cacheLimit: Int = 1 << 30, source: (any MemorySource)? = nil) {
    self.cacheLimit = cacheLimit
    self.source = source
  }

  deinit { trim() }

  /// The class that holds `bytes`: at most a quarter larger.
  static func sizeClass(_ bytes: Int) -> Int {
    let wanted = max(bytes, 256)
    let power = Int.bitWidth - 1 - wanted.leadingZeroBitCount
    let step = 1 << max(power - 2, 6)
    return (wanted + step - 1) / step * step
  }

  /// Weights and caches have one size for life; a placed block of a larger one would be cut askew.
  private static func blockSize(_ bytes: Int, _ use: MemoryUse) -> Int {
    use == .activations ? sizeClass(bytes) : (max(bytes, 256) + 255) / 256 * 256
  }

  func take(_ bytes: Int, for use: MemoryUse) -> MemoryBlock {
    let size = Self.blockSize(bytes, use)
    let recycled: MemoryBlock? = state.withLock { state in
      state.usedBytes += size
      state.peakBytes = max(state.peakBytes, state.usedBytes)
      guard let block = state.free[Shelf(size: size, use: use)]?.popLast() else { return nil }
      state.cachedBytes -= size
      return block
    }
    if let block = recycled ?? source?.allocate(size, for: use) { return block }
    var block = SystemMemory.allocate(size, alignment: 64)
    if block == nil {
      trim()
      block = SystemMemory.allocate(size, alignment: 64)
    }
    guard let block else { preconditionFailure("out of memory: \(size) bytes for a tensor") }
    return MemoryBlock(pointer: block)
  }

  func give(_ block: MemoryBlock, bytes: Int, use: MemoryUse) {
    let size = Self.blockSize(bytes, use)
    let kept = state.withLock { state in
      state.usedBytes -= size
      guard state.cachedBytes + size <= cacheLimit else { return false }
      state.free[Shelf(size: size, use: use), default: []].append(block)
      state.cachedBytes += size
      return true
    }
    if !kept { release(block, size) }
  }

  private func release(_ block: MemoryBlock, _ size: Int) {
    if let source, block.handle != nil {
      source.free(block, bytes: size)
    } else {
      free(block.pointer)
    }
  }

  /// Gives every free block back to the system.
  public func trim() {
    let shelves = state.withLock { state in
      defer {
        state.free = [:]
        state.cachedBytes = 0
      }
      return state.free
    }
    for (shelf, blocks) in shelves { for block in blocks { release(block, shelf.size) } }
  }

  /// Bytes in tensors now, and the most there ever were.
  public var usage: (used: Int, peak: Int) { state.withLock { ($0.usedBytes, $0.peakBytes) } }
}
