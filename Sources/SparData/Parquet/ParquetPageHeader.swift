/// What stands in front of a page.
struct ParquetPageHeader {
  enum Kind {
    case data
    case dataV2
    case dictionary
    /// An index, or what a later version brings.
    case other
  }

  var kind = Kind.other
  /// Decompressed.
  var size = 0
  var compressedSize = 0
  var checksum: UInt32?
  var values = 0
  var encoding = 0
  var definitionEncoding = 3
  var repetitionEncoding = 3
  var definitionBytes = 0
  var repetitionBytes = 0
  var isCompressed = true

  static func read(
    _ bytes: UnsafeRawBufferPointer
  ) throws(ParquetFault) -> (ParquetPageHeader, length: Int) {
    var header = ParquetPageHeader()
    var reader = ThriftReader(bytes)
    try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
      switch (id, kind) {
      case (1, .int32):
        switch try reader.integer() {
        case 0: header.kind = .data
        case 2: header.kind = .dictionary
        case 3: header.kind = .dataV2
        default: header.kind = .other
        }
      case (2, .int32): header.size = try reader.integer()
      case (3, .int32): header.compressedSize = try reader.integer()
      case (4, .int32): header.checksum = UInt32(truncatingIfNeeded: try reader.integer())
      case (5, .structure), (7, .structure):
        try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
          switch (id, kind) {
          case (1, .int32): header.values = try reader.integer()
          case (2, .int32): header.encoding = try reader.integer()
          case (3, .int32): header.definitionEncoding = try reader.integer()
          case (4, .int32): header.repetitionEncoding = try reader.integer()
          default: try reader.skip(kind)
          }
        }
      case (8, .structure):
        try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
          switch (id, kind) {
          case (1, .int32): header.values = try reader.integer()
          case (4, .int32): header.encoding = try reader.integer()
          case (5, .int32): header.definitionBytes = try reader.integer()
          case (6, .int32): header.repetitionBytes = try reader.integer()
          case (7, .no): header.isCompressed = false
          default: try reader.skip(kind)
          }
        }
      default: try reader.skip(kind)
      }
    }
    return (header, reader.at)
  }
}
