import SparCompute
import SparTensor

/// Keys and values of every layer for a fixed number of token slots.
///
/// Slots are handed out in contiguous runs, one for a prompt (shared by its answers) and one for
/// each running answer, and taken back when they end.
public final class KVCache {
  public let layers: [LayerCache]
  public let slots: Int
  private var free: [Range<Int>]

  public init(_ config: ModelConfig, slots: Int, backend: Backend) {
    self.slots = slots
    layers = (0..<config.layers).map { _ in
      LayerCache(
        keys: backend.tensor([slots, config.keyHeads, config.headSize], use: .keyValueCache),
        values: backend.tensor([slots, config.keyHeads, config.headSize], use: .keyValueCache))
    }
    free = slots > 0 ? [0..<slots] : []
  }

  /// A run of `count` slots, or nil when no gap is long enough.
  public func reserve(_ count: Int) -> Range<Int>? {
    guard let index = free.firstIndex(where: { $0.count >= count }) else { return nil }
    let gap = free[index]
    let run = gap.lowerBound..<(gap.lowerBound + count)
    if gap.count == count {
      free.remove(at: index)
    } else {
      free[index] = run.upperBound..<gap.upperBound
    }
    return run
  }

  public func release(_ run: Range<Int>) {
    guard !run.isEmpty else { return }
    let index = free.firstIndex { $0.lowerBound > run.lowerBound } ?? free.count
    free.insert(run, at: index)
    if index + 1 < free.count, free[index].upperBound == free[index + 1].lowerBound {
      free[index] = free[index].lowerBound..<free.remove(at: index + 1).upperBound
    }
    if index > 0, free[index - 1].upperBound == free[index].lowerBound {
      free[index - 1] = free[index - 1].lowerBound..<free.remove(at: index).upperBound
    }
  }
}

/// Where the rows of one forward pass stand in a cache: row t is stored in `slots[t]`, and the
/// spans' keys and prefix are cache slots.
public struct CachedRows {
  public let cache: KVCache
  public let slots: [Int32]

  public init(_ cache: KVCache, slots: [Int32]) {
    self.cache = cache
    self.slots = slots
  }
}
