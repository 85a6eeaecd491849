/// Thrift's compact protocol, as far as Parquet's headers need it.
///
/// A list cannot be longer than the bytes behind it, nesting is bounded: a header that lies costs
/// no memory.
struct ThriftReader {
  enum Kind: UInt8 {
    case stop = 0
    case yes = 1
    case no = 2
    case byte = 3
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
  }

  private let bytes: UnsafeRawBufferPointer
  private(set) var at: Int
  private var depth = 0
  /// What a header that goes on behind the bytes is told as.
  static let ended = "a header ends too early"

  init(_ bytes: UnsafeRawBufferPointer, at: Int = 0) {
    self.bytes = bytes
    self.at = at
  }

  private mutating func byte() throws(ParquetFault) -> UInt8 {
    guard at < bytes.count else { throw ParquetFault(what: Self.ended) }
    at += 1
    return bytes[at - 1]
  }

  private mutating func varint() throws(ParquetFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    throw ParquetFault(what: "a header holds a number of more than 64 bits")
  }

  mutating func integer() throws(ParquetFault) -> Int {
    let raw = try varint()
    return Int(truncatingIfNeeded: raw >> 1) ^ -Int(truncatingIfNeeded: raw & 1)
  }

  /// A number of a single byte, as it stands.
  mutating func small() throws(ParquetFault) -> Int { Int(try byte()) }

  mutating func text() throws(ParquetFault) -> String {
    let length = try varint()
    guard length <= UInt64(bytes.count - at) else { throw ParquetFault(what: Self.ended) }
    defer { at += Int(length) }
    return String(decoding: bytes[at..<(at + Int(length))], as: UTF8.self)
  }

  /// Calls `field` with each field's number and type; it must read or skip the value.
  mutating func structure(
    _ field: (inout ThriftReader, Int, Kind) throws(ParquetFault) -> Void
  ) throws(ParquetFault) {
    depth += 1
    defer { depth -= 1 }
    guard depth < 32 else { throw ParquetFault(what: "a header nests too deeply") }
    var id = 0
    while true {
      let head = try byte()
      let kind = try kind(head & 0x0F)
      if kind == .stop { return }
      let delta = Int(head >> 4)
      if delta > 0 { id &+= delta } else { id = try integer() }
      try field(&self, id, kind)
    }
  }

  /// Calls `element` for each element of a list.
  mutating func list(
    _ element: (inout ThriftReader, Kind) throws(ParquetFault) -> Void
  ) throws(ParquetFault) {
    let head = try byte()
    let kind = try kind(head & 0x0F)
    var count = Int(head >> 4)
    if count == 15 { count = Int(clamping: try varint()) }
    guard count <= bytes.count - at else { throw ParquetFault(what: Self.ended) }
    for _ in 0..<count { try element(&self, kind) }
  }

  private func kind(_ raw: UInt8) throws(ParquetFault) -> Kind {
    guard let kind = Kind(rawValue: raw) else {
      throw ParquetFault(what: "a header holds the unknown type \(raw)")
    }
    return kind
  }

  /// Passes over a value.  As an element of a list a boolean has a byte of its own.
  mutating func skip(_ kind: Kind, isElement: Bool = false) throws(ParquetFault) {
    switch kind {
    // No value: a list of these would cost time and no bytes.
    case .stop: throw ParquetFault(what: "a header holds values of no type")
    case .yes, .no: if isElement { _ = try byte() }
    case .byte: _ = try byte()
    case .int16, .int32, .int64: _ = try varint()
    case .double:
      guard bytes.count - at >= 8 else { throw ParquetFault(what: Self.ended) }
      at += 8
    case .binary: _ = try text()
    case .list, .set:
      depth += 1
      defer { depth -= 1 }
      guard depth < 32 else { throw ParquetFault(what: "a header nests too deeply") }
      try list { (reader: inout ThriftReader, kind) throws(ParquetFault) in
        try reader.skip(kind, isElement: true)
      }
    case .map:
      let count = Int(clamping: try varint())
      guard count > 0 else { return }
      guard count <= bytes.count - at else { throw ParquetFault(what: Self.ended) }
      depth += 1
      defer { depth -= 1 }
      guard depth < 32 else { throw ParquetFault(what: "a header nests too deeply") }
      let kinds = try byte()
      for _ in 0..<count {
        try skip(self.kind(kinds >> 4), isElement: true)
        try skip(self.kind(kinds & 0x0F), isElement: true)
      }
    case .structure:
      try structure { (reader: inout ThriftReader, _, kind) throws(ParquetFault) in
        try reader.skip(kind)
      }
    }
  }
}
