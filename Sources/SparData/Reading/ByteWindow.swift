/// The part of a text file in memory: grows only while one piece does not fit.
struct ByteWindow {
  private let file: FileBytes
  private var buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// Where `end` is in the file.
  private var position = 0
  private static let chunk = 1 << 20

  /// The owner calls `free` once.
  init(_ file: FileBytes) {
    self.file = file
    buffer = .allocate(byteCount: Self.chunk, alignment: 16)
  }

  func free() { buffer.deallocate() }

  /// Place in the file of the first byte of `bytes`.
  var offset: Int { position - (end - start) }

  /// What has been read and not yet been dropped; valid until `more` or `drop`.
  var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: buffer.bindMemory(to: UInt8.self)[start..<end])
  }

  mutating func drop(_ count: Int) {
    precondition(count <= end - start)
    start += count
  }

  /// Reads further; false at the end of the file.
  ///
  /// - Parameter limit: of `bytes`; beyond it `place` is too long.
  mutating func more(limit: Int, _ place: () -> String) throws(DataError) -> Bool {
    if start > 0 {
      // Overlapping parts: memmove, which this is.
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
      end -= start
      start = 0
    }
    if end == buffer.count {
      guard end < limit else {
        throw DataError(
          path: file.path, place: place(), what: "a row of more than \(limit >> 20) MiB",
          cure: "a row ends with a line feed; split the row, or see whether the file is text")
      }
      let larger = UnsafeMutableRawBufferPointer.allocate(
        byteCount: min(buffer.count * 2, limit), alignment: 16)
      larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<end]))
      buffer.deallocate()
      buffer = larger
    }
    let count = try file.read(
      at: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
    position += count
    end += count
    return count > 0
  }
}
