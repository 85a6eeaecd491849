/// A page's bytes, or a part of them; reading beyond the end throws.
final class PageBytes {
  let count: Int
  private let memory: UnsafeMutableRawBufferPointer

  init(count: Int) {
    self.count = count
    memory = .allocate(byteCount: max(count, 1), alignment: 16)
  }

  deinit { memory.deallocate() }

  /// All bytes, to be filled.
  var raw: UnsafeMutableRawBufferPointer { .init(rebasing: memory[..<count]) }

  /// The bytes at `range`, valid as long as this object.
  func slice(_ range: Range<Int>) throws(ParquetFault) -> UnsafeRawBufferPointer {
    guard range.lowerBound >= 0, range.upperBound <= count else {
      throw ParquetFault(what: "a page ends too early")
    }
    return UnsafeRawBufferPointer(rebasing: memory[range])
  }

  func byte(_ at: Int) throws(ParquetFault) -> UInt8 {
    guard at >= 0, at < count else { throw ParquetFault(what: "a page ends too early") }
    return memory[at]
  }

  /// A little-endian integer or bit pattern.
  func load<T: FixedWidthInteger>(_: T.Type, at: Int) throws(ParquetFault) -> T {
    guard at >= 0, at <= count - MemoryLayout<T>.size else {
      throw ParquetFault(what: "a page ends too early")
    }
    return T(littleEndian: memory.loadUnaligned(fromByteOffset: at, as: T.self))
  }

  /// A length in front of its bytes.
  func length(at: Int) throws(ParquetFault) -> Int { Int(try load(UInt32.self, at: at)) }
}
