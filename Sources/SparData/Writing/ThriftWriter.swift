/// Thrift's compact protocol, for Parquet's headers.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var last: [Int] = [0]

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func zigzag(_ value: Int) {
    varint(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63))))
  }

  private mutating func head(_ id: Int, _ kind: ThriftReader.Kind) {
    let delta = id - last[last.count - 1]
    precondition((1...15).contains(delta), "fields of a header are written in order")
    bytes.append(UInt8(delta << 4) | kind.rawValue)
    last[last.count - 1] = id
  }

  mutating func int32(_ id: Int, _ value: Int) {
    head(id, .int32)
    zigzag(value)
  }

  mutating func int64(_ id: Int, _ value: Int) {
    head(id, .int64)
    zigzag(value)
  }

  mutating func text(_ id: Int, _ value: String) {
    head(id, .binary)
    element(value)
  }

  mutating func structure(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
    head(id, .structure)
    element(body)
  }

  /// A list's head; its elements follow.
  mutating func list(_ id: Int, of kind: ThriftReader.Kind, count: Int) {
    head(id, .list)
    if count < 15 {
      bytes.append(UInt8(count << 4) | kind.rawValue)
    } else {
      bytes.append(0xF0 | kind.rawValue)
      varint(UInt64(count))
    }
  }

  mutating func element(_ value: Int) { zigzag(value) }

  mutating func element(_ value: String) {
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func element(_ body: (inout ThriftWriter) -> Void) {
    last.append(0)
    body(&self)
    bytes.append(0)
    last.removeLast()
  }

  /// A header by itself.
  static func header(_ body: (inout ThriftWriter) -> Void) -> [UInt8] {
    var writer = ThriftWriter()
    writer.element(body)
    return writer.bytes
  }
}
