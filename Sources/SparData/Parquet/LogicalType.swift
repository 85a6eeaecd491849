/// What a column's values mean beyond their bytes.
enum LogicalType: Equatable {
  enum Unit: Int {
    case millis = 1
    case micros = 2
    case nanos = 3

    var perSecond: Int {
      switch self {
      case .millis: 1000
      case .micros: 1_000_000
      case .nanos: 1_000_000_000
      }
    }
    var digits: Int { rawValue * 3 }
  }

  case text
  case list
  case map
  case decimal(scale: Int)
  case date
  case time(Unit)
  case timestamp(Unit, isUTC: Bool)
  case unsigned(bits: Int)
  case uuid
  case half
  case other

  /// Reads the union of the footer.
  init(_ reader: inout ThriftReader) throws(ParquetFault) {
    var found = LogicalType.other
    try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
      guard kind == .structure else { return try reader.skip(kind) }
      let (first, isFirst, unit) = try Self.fields(&reader)
      switch id {
      case 1, 4, 12: found = .text
      case 2: found = .map
      case 3: found = .list
      case 5: found = .decimal(scale: first ?? 0)
      case 6: found = .date
      case 7: found = .time(unit)
      case 8: found = .timestamp(unit, isUTC: isFirst)
      case 10 where !isFirst: found = .unsigned(bits: first ?? 64)
      case 14: found = .uuid
      case 15: found = .half
      default: break
      }
    }
    self = found
  }

  /// A member's own fields: its first number, its truth value, its unit of time.
  private static func fields(
    _ reader: inout ThriftReader
  ) throws(ParquetFault) -> (number: Int?, truth: Bool, unit: Unit) {
    var number: Int?
    var truth = false
    var unit = Unit.micros
    try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
      switch (id, kind) {
      case (1, .int32): number = try reader.integer()
      case (1, .byte):
        // bitWidth is a single byte, as it stands.
        number = try reader.small()
      case (_, .yes): truth = true
      case (2, .structure):
        try reader.structure { (reader: inout ThriftReader, id, kind) throws(ParquetFault) in
          unit = Unit(rawValue: id) ?? .micros
          try reader.skip(kind)
        }
      default: try reader.skip(kind)
      }
    }
    return (number, truth, unit)
  }

  /// The older annotation.
  init?(converted: Int?, scale: Int) {
    switch converted {
    case 0, 4, 19: self = .text
    case 1, 2: self = .map
    case 3: self = .list
    case 5: self = .decimal(scale: scale)
    case 6: self = .date
    case 7: self = .time(.millis)
    case 8: self = .time(.micros)
    case 9: self = .timestamp(.millis, isUTC: true)
    case 10: self = .timestamp(.micros, isUTC: true)
    case 11: self = .unsigned(bits: 8)
    case 12: self = .unsigned(bits: 16)
    case 13: self = .unsigned(bits: 32)
    case 14: self = .unsigned(bits: 64)
    default: return nil
    }
  }
}
