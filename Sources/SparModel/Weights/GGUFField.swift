/// A metadata value to be written, with the width that readers of GGUF expect.
public enum GGUFField: Sendable, Equatable {
  case u32(UInt32)
  case f32(Float)
  case bool(Bool)
  case string(String)
  case strings([String])
  case f32s([Float])
  case i32s([Int32])

  /// The format's number of the type; 9 is an array.
  var kind: UInt32 {
    switch self {
    case .u32: 4
    case .f32: 6
    case .bool: 7
    case .string: 8
    case .strings, .f32s, .i32s: 9
    }
  }

  func append(to out: inout [UInt8]) {
    switch self {
    case .u32(let value): Self.append(value, to: &out)
    case .f32(let value): Self.append(value.bitPattern, to: &out)
    case .bool(let value): out.append(value ? 1 : 0)
    case .string(let text): Self.append(text, to: &out)
    case .strings(let texts):
      Self.append(array: 8, texts.count, to: &out)
      for text in texts { Self.append(text, to: &out) }
    case .f32s(let values):
      Self.append(array: 6, values.count, to: &out)
      for value in values { Self.append(value.bitPattern, to: &out) }
    case .i32s(let values):
      Self.append(array: 5, values.count, to: &out)
      for value in values { Self.append(value, to: &out) }
    }
  }

  private static func append(array kind: UInt32, _ count: Int, to out: inout [UInt8]) {
    append(kind, to: &out)
    append(UInt64(count), to: &out)
  }

  static func append(_ text: String, to out: inout [UInt8]) {
    append(UInt64(text.utf8.count), to: &out)
    out.append(contentsOf: text.utf8)
  }

  static func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) }
  }
}
