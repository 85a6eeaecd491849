import SparText

/// Turns a column's bytes into values.
///
/// Integers of 64 bits without sign that do not fit are rounded to numbers; decimals and 16-bit
/// floats are numbers; dates and times are ISO 8601 text; UUIDs are text; bytes that no annotation
/// calls text are text where they are UTF-8, else base64.
final class LeafValue {
  private let type: PhysicalType
  private let logical: LogicalType?
  /// Set by a text that is not UTF-8; the reader takes it back at every row.
  var sawBrokenText = false

  init(_ leaf: ParquetSchema.Leaf) {
    type = leaf.type
    logical = leaf.logical
  }

  func integer(_ value: Int) -> JSONNode {
    switch logical {
    case .unsigned(let bits) where bits == 64 && value < 0:
      return .number(Double(UInt64(bitPattern: Int64(value))))
    case .unsigned(let bits) where bits == 32 && value < 0: return .integer(value + 1 << 32)
    case .decimal(let scale): return .number(Self.scaled(Double(value), scale))
    case .date: return .string(CalendarText.date(days: value))
    case .time(let unit): return .string(CalendarText.time(value, unit))
    case .timestamp(let unit, let isUTC):
      return .string(CalendarText.timestamp(value, unit) + (isUTC ? "Z" : ""))
    default: return .integer(value)
    }
  }

  func number(_ value: Double) -> JSONNode { .number(value) }

  /// A value of `int96`, of variable or of fixed length.
  func bytes(_ bytes: UnsafeRawBufferPointer) -> JSONNode {
    if type == .int96, bytes.count == 12 {
      // Nanoseconds of the day, then the Julian day.
      let nanos = Int(Int64(littleEndian: bytes.loadUnaligned(as: Int64.self)))
      let day = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
      let date = CalendarText.date(days: day - 2_440_588)
      return .string(date + "T" + CalendarText.time(nanos, .nanos))
    }
    switch logical {
    case .decimal(let scale): return .number(Self.decimal(bytes, scale))
    case .half where bytes.count == 2:
      let bits = UInt16(littleEndian: bytes.loadUnaligned(as: UInt16.self))
      return .number(Double(Self.half(bits)))
    case .uuid where bytes.count == 16:
      let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      return .string(
        [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { hex[$0].joined() }.joined(separator: "-"))
    default: break
    }
    let text = bytes.bindMemory(to: UInt8.self)
    if let valid = String(validating: text, as: UTF8.self) { return .string(valid) }
    guard logical == .text else { return .string(Base64.text(bytes)) }
    sawBrokenText = true
    return .string(String(decoding: text, as: UTF8.self))
  }

  /// Big-endian two's complement of any length.
  private static func decimal(_ bytes: UnsafeRawBufferPointer, _ scale: Int) -> Double {
    guard let first = bytes.first else { return 0 }
    var value = Double(Int8(bitPattern: first))
    for byte in bytes.dropFirst() { value = value * 256 + Double(byte) }
    return scaled(value, scale)
  }

  private static func scaled(_ value: Double, _ scale: Int) -> Double {
    var divisor = 1.0
    for _ in 0..<max(0, min(scale, 300)) { divisor *= 10 }
    return value / divisor
  }

  /// IEEE half precision.
  private static func half(_ bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10) & 0x1F
    let fraction = Float(bits & 0x3FF)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return sign * (1 + fraction * 0x1p-10)
        * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}

/// RFC 4648, with padding.
enum Base64 {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for byte in group { word = word << 8 | UInt32(byte) }
      word <<= UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        out.append(
          place <= group.count
            ? letters[Int(word >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}

/// Dates and times as ISO 8601 writes them.
enum CalendarText {
  /// Days since 1970-01-01 in the proleptic Gregorian calendar.
  ///
  /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
  static func date(days: Int) -> String {
    // Beyond a million years no calendar helps.
    guard days.magnitude < 400_000_000 else { return "\(days) days" }
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(day, 2)
  }

  /// Time of day with the digits of its unit.
  static func time(_ value: Int, _ unit: LogicalType.Unit) -> String {
    let (seconds, rest) = value.quotientAndRemainder(dividingBy: unit.perSecond)
    let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { pad($0, 2) }
    return clock.joined(separator: ":") + "." + pad(abs(rest), unit.digits)
  }

  static func timestamp(_ value: Int, _ unit: LogicalType.Unit) -> String {
    let day = 86_400 * unit.perSecond
    var (days, rest) = value.quotientAndRemainder(dividingBy: day)
    if rest < 0 {
      days -= 1
      rest += day
    }
    return date(days: days) + "T" + time(rest, unit)
  }

  private static func pad(_ value: Int, _ width: Int) -> String {
    let digits = String(abs(value))
    return (value < 0 ? "-" : "")
      + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
