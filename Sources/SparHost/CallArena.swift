import CSparPlugin

/// Memory lent to a plugin for one call: copies of the caller's arrays and texts, freed together.
struct CallArena: ~Copyable {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit {
    for block in blocks { block.deallocate() }
  }

  /// `count` elements of `value`.
  mutating func fill<T: BitwiseCopyable>(_ value: T, count: Int) -> UnsafeMutablePointer<T> {
    let copy = allocate(count, of: T.self)
    copy.initialize(repeating: value, count: count)
    return copy
  }

  /// Never NULL, also for an empty array.
  mutating func copy<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let copy = allocate(values.count, of: T.self)
    for (i, value) in values.enumerated() { (copy + i).initialize(to: value) }
    return copy
  }

  mutating func copyIfAny<T: BitwiseCopyable>(_ values: [T]?) -> UnsafeMutablePointer<T>? {
    guard let values else { return nil }
    return copy(values)
  }

  /// NUL-terminated.
  mutating func text(_ text: String) -> UnsafePointer<CChar> {
    UnsafePointer(copy(Array(text.utf8CString)))
  }

  /// With its length; NUL follows.
  mutating func counted(_ text: String) -> spar_text {
    spar_text(p: self.text(text), n: UInt64(text.utf8.count))
  }

  private mutating func allocate<T>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<T>.stride, alignment: 16)
    blocks.append(block)
    return block.bindMemory(to: T.self, capacity: max(count, 1))
  }
}
