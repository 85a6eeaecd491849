/// What a Parquet file says about itself, behind its pages.
///
/// A structure without fields takes a byte there and a hundred here: their numbers are bounded, and
/// those that lack what every writer gives are refused.
struct ParquetFooter {
  struct Element {
    var type: Int?
    var typeLength = 0
    var repetition = 0
    var name = ""
    var children = 0
    var converted: Int?
    var scale = 0
    var logical: LogicalType?
  }

  struct Chunk {
    var path = ""
    var type = 0
    var codec = 0
    var values = 0
    var compressedSize = 0
    var dataOffset = 0
    var dictionaryOffset: Int?
    /// Pages may lie in another file; nobody writes that.
    var otherFile: String?

    /// Where the first page begins.
    var start: Int {
      guard let dictionary = dictionaryOffset, dictionary > 0 else { return dataOffset }
      return min(dictionary, dataOffset)
    }
  }

  struct RowGroup {
    var rows = 0
    var chunks: [Chunk] = []
  }

  var elements: [Element] = []
  var rows = 0
  var groups: [RowGroup] = []

  init(_ bytes: UnsafeRawBufferPointer) throws(ParquetFault) {
    var reader = ThriftReader(bytes)
    var footer = (elements: [Element](), rows: 0, groups: [RowGroup]())
    var chunks = 0
    try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
      switch (id, kind) {
      case (2, .list):
        try reader.list { (reader: inout ThriftReader, _) throws(ParquetFault) in
          footer.elements.append(try Self.element(&reader))
          guard footer.elements.count <= DataLimits.schemaFields else {
            throw ParquetFault(what: "the schema has more than \(DataLimits.schemaFields) fields")
          }
        }
      case (3, .int64): footer.rows = try reader.integer()
      case (4, .list):
        try reader.list { (reader: inout ThriftReader, _) throws(ParquetFault) in
          footer.groups.append(try Self.group(&reader, chunks: &chunks))
          guard footer.groups.count <= DataLimits.columnChunks else {
            throw ParquetFault(what: "more than \(DataLimits.columnChunks) row groups")
          }
        }
      default: try reader.skip(kind)
      }
    }
    (elements, rows, groups) = footer
  }

  private static func element(_ reader: inout ThriftReader) throws(ParquetFault) -> Element {
    var element = Element()
    var isNamed = false
    try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
      switch (id, kind) {
      case (1, .int32): element.type = try reader.integer()
      case (2, .int32): element.typeLength = try reader.integer()
      case (3, .int32): element.repetition = try reader.integer()
      case (4, .binary):
        element.name = try reader.text()
        isNamed = true
      case (5, .int32): element.children = try reader.integer()
      case (6, .int32): element.converted = try reader.integer()
      case (7, .int32): element.scale = try reader.integer()
      case (10, .structure): element.logical = try LogicalType(&reader)
      default: try reader.skip(kind)
      }
    }
    guard isNamed else { throw ParquetFault(what: "a field of the schema has no name") }
    return element
  }

  /// - Parameter chunks: of the row groups before it.
  private static func group(
    _ reader: inout ThriftReader, chunks: inout Int
  ) throws(ParquetFault) -> RowGroup {
    var group = RowGroup()
    try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
      switch (id, kind) {
      case (1, .list):
        try reader.list { (reader: inout ThriftReader, _) throws(ParquetFault) in
          group.chunks.append(try chunk(&reader))
          chunks += 1
          guard chunks <= DataLimits.columnChunks else {
            throw ParquetFault(what: "more than \(DataLimits.columnChunks) column chunks")
          }
        }
      case (3, .int64): group.rows = try reader.integer()
      default: try reader.skip(kind)
      }
    }
    return group
  }

  private static func chunk(_ reader: inout ThriftReader) throws(ParquetFault) -> Chunk {
    var chunk = Chunk()
    var isDescribed = false
    try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
      switch (id, kind) {
      case (1, .binary): chunk.otherFile = try reader.text()
      case (3, .structure):
        isDescribed = true
        try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
          try metadata(&chunk, &reader, id, kind)
        }
      default: try reader.skip(kind)
      }
    }
    guard isDescribed else { throw ParquetFault(what: "a column chunk is not described") }
    return chunk
  }

  private static func metadata(
    _ chunk: inout Chunk, _ reader: inout ThriftReader, _ id: Int, _ kind: ThriftReader.Kind
  ) throws(ParquetFault) {
    switch (id, kind) {
    case (1, .int32): chunk.type = try reader.integer()
    case (3, .list):
      var names: [String] = []
      try reader.list { (reader: inout ThriftReader, kind) throws(ParquetFault) in
        guard kind == .binary else { throw ParquetFault(what: "a column's path is no text") }
        names.append(try reader.text())
        // Twice what the schema's depth can give.
        guard names.count <= 256 else { throw ParquetFault(what: "a column's path is too long") }
      }
      chunk.path = names.joined(separator: ".")
    case (4, .int32): chunk.codec = try reader.integer()
    case (5, .int64): chunk.values = try reader.integer()
    case (7, .int64): chunk.compressedSize = try reader.integer()
    case (9, .int64): chunk.dataOffset = try reader.integer()
    case (11, .int64): chunk.dictionaryOffset = try reader.integer()
    default: try reader.skip(kind)
    }
  }
}
