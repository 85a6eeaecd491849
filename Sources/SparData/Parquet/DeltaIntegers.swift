/// DELTA_BINARY_PACKED: a first value, then blocks of differences from a smallest one.
struct DeltaIntegers {
  private let page: PageBytes
  /// Behind what has been read; behind the last value it is where the next part begins.
  private(set) var at: Int
  let count: Int
  private let miniblocks: Int
  private let miniblockSize: Int
  private var value: Int
  private var given = 0
  private var smallest = 0
  private var widths: [UInt8] = []
  private var miniblock = 0
  private var inMiniblock = 0
  private var bit = 0

  init(_ page: PageBytes, at start: Int) throws(ParquetFault) {
    self.page = page
    at = start
    let blockSize = Int(clamping: try Self.varint(page, &at))
    miniblocks = Int(clamping: try Self.varint(page, &at))
    count = Int(clamping: try Self.varint(page, &at))
    value = Self.zigzag(try Self.varint(page, &at))
    guard blockSize > 0, blockSize <= 1 << 24, miniblocks > 0, miniblocks <= blockSize,
      blockSize % miniblocks == 0, (blockSize / miniblocks) % 8 == 0
    else {
      throw ParquetFault(what: "blocks of \(blockSize) differences in \(miniblocks) parts")
    }
    miniblockSize = blockSize / miniblocks
    inMiniblock = miniblockSize
    miniblock = miniblocks
  }

  private static func varint(_ page: PageBytes, _ at: inout Int) throws(ParquetFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try page.byte(at)
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw ParquetFault(what: "a difference of more than 64 bits")
  }

  private static func zigzag(_ raw: UInt64) -> Int {
    Int(truncatingIfNeeded: raw >> 1) ^ -Int(truncatingIfNeeded: raw & 1)
  }

  mutating func next() throws(ParquetFault) -> Int {
    guard given < count else { throw ParquetFault(what: "there are fewer differences than values") }
    defer { given += 1 }
    if given == 0 { return value }
    if inMiniblock == miniblockSize { try nextMiniblock() }
    let width = Int(widths[miniblock])
    var delta = 0
    if width > 0 {
      var word: UInt64 = 0
      var have = 0
      while have < width {
        let place = bit + have
        let piece = UInt64(try page.byte(at + place / 8)) >> UInt64(place % 8)
        word |= piece << UInt64(have)
        have += 8 - place % 8
      }
      if width < 64 { word &= 1 << UInt64(width) - 1 }
      delta = Int(truncatingIfNeeded: word)
      bit += width
    }
    inMiniblock += 1
    value = value &+ smallest &+ delta
    if given + 1 == count { finish() }
    return value
  }

  private mutating func nextMiniblock() throws(ParquetFault) {
    if miniblock < miniblocks { at += miniblockSize * Int(widths[miniblock]) / 8 }
    miniblock += 1
    if miniblock >= miniblocks {
      smallest = Self.zigzag(try Self.varint(page, &at))
      widths = Array(try page.slice(at..<(at + miniblocks)))
      at += miniblocks
      guard widths.allSatisfy({ $0 <= 64 }) else {
        throw ParquetFault(what: "a difference of more than 64 bits")
      }
      miniblock = 0
    }
    inMiniblock = 0
    bit = 0
  }

  /// A miniblock is whole in the file, even where its last values are not needed.
  private mutating func finish() {
    at += miniblockSize * Int(widths[miniblock]) / 8
    miniblock = miniblocks
  }

  /// All values: lengths, say.  Not more than `limit`.
  static func all(
    _ page: PageBytes, at: Int, limit: Int
  ) throws(ParquetFault) -> (values: [Int], end: Int) {
    var reader = try DeltaIntegers(page, at: at)
    guard reader.count <= min(limit, 1 << 24) else {
      throw ParquetFault(what: "\(reader.count) lengths for \(limit) values")
    }
    var values: [Int] = []
    for _ in 0..<reader.count { values.append(try reader.next()) }
    return (values, reader.at)
  }
}
