/// The four wire types that TensorBoard's events need, written by hand.
/// Source: protobuf.dev, "Encoding".
struct Protobuf {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func key(_ field: Int, wire: UInt64) { varint(UInt64(field) << 3 | wire) }

  mutating func integer(_ field: Int, _ value: Int) {
    key(field, wire: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func double(_ field: Int, _ value: Double) {
    key(field, wire: 1)
    bytes += littleEndianBytes(value.bitPattern)
  }

  mutating func float(_ field: Int, _ value: Float) {
    key(field, wire: 5)
    bytes += littleEndianBytes(value.bitPattern)
  }

  /// A string or a nested message.
  mutating func block(_ field: Int, _ content: [UInt8]) {
    key(field, wire: 2)
    varint(UInt64(content.count))
    bytes += content
  }
}

func littleEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
