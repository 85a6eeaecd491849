import Glibc
import Synchronization

/// Recycles blocks of 64-byte aligned host memory, so that steady state allocates nothing.
///
/// Blocks are kept by size class; classes are a quarter of a power of two apart, so a tensor whose
/// row count changes from batch to batch finds the block of the previous one.
public final class MemoryPool: Sendable {
  private struct State {
    var free: [Int: [UInt]] = [:]
    var cachedBytes = 0
    var usedBytes = 0
    var peakBytes = 0
  }
  private let state = Mutex(State())
  /// Free blocks beyond this many bytes go back to the system.
  private let cacheLimit: Int

  public init(cacheLimit: Int = 1 << 30) { self.cacheLimit = cacheLimit }

  deinit { trim() }

  /// The class that holds `bytes`: at most a quarter larger.
  static func sizeClass(_ bytes: Int) -> Int {
    let wanted = max(bytes, 256)
    let power = Int.bitWidth - 1 - wanted.leadingZeroBitCount
    let step = 1 << max(power - 2, 6)
    return (wanted + step - 1) / step * step
  }

  func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    let size = Self.sizeClass(bytes)
    let recycled: UInt? = state.withLock { state in
      state.usedBytes += size
      state.peakBytes = max(state.peakBytes, state.usedBytes)
      guard let block = state.free[size]?.popLast() else { return nil }
      state.cachedBytes -= size
      return block
    }
    if let recycled, let block = UnsafeMutableRawPointer(bitPattern: recycled) { return block }
    var block: UnsafeMutableRawPointer?
    if posix_memalign(&block, 64, size) != 0 {
      trim()
      _ = posix_memalign(&block, 64, size)
    }
    guard let block else { preconditionFailure("out of memory: \(size) bytes for a tensor") }
    return block
  }

  func give(_ block: UnsafeMutableRawPointer, bytes: Int) {
    let size = Self.sizeClass(bytes)
    let kept = state.withLock { state in
      state.usedBytes -= size
      guard state.cachedBytes + size <= cacheLimit else { return false }
      state.free[size, default: []].append(UInt(bitPattern: block))
      state.cachedBytes += size
      return true
    }
    if !kept { free(block) }
  }

  /// Gives every free block back to the system.
  public func trim() {
    let blocks = state.withLock { state in
      defer {
        state.free = [:]
        state.cachedBytes = 0
      }
      return state.free.values.flatMap { $0 }
    }
    for block in blocks { free(UnsafeMutableRawPointer(bitPattern: block)) }
  }

  /// Bytes in tensors now, and the most there ever were.
  public var usage: (used: Int, peak: Int) { state.withLock { ($0.usedBytes, $0.peakBytes) } }
}
