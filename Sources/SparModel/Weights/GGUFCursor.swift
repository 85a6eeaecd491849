/// Reads the little-endian header of a GGUF file. Every read is checked against the end of the
/// file, and every count against the bytes that are left before anything is allocated for it.
struct GGUFCursor {
  let file: MappedFile
  var offset = 0

  init(_ file: MappedFile) { self.file = file }

  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type, _ what: @autoclosure () -> String
  ) throws(WeightError) -> Number {
    try claim(MemoryLayout<Number>.size, what())
    defer { offset += MemoryLayout<Number>.size }
    return Number(
      littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  /// A length or count, at least `unit` bytes each, that must fit the rest of the file.
  mutating func count(
    unit: Int, _ what: @autoclosure () -> String
  ) throws(WeightError) -> Int {
    let stored = try number(UInt64.self, what())
    let left = file.bytes.count - offset
    guard stored <= UInt64(left / unit) else {
      throw WeightError(
        file.path,
        .malformed("\(what()) is \(stored), more than the \(left) bytes that are left can hold"))
    }
    return Int(stored)
  }

  mutating func string(_ what: @autoclosure () -> String) throws(WeightError) -> String {
    let length = try count(unit: 1, what())
    defer { offset += length }
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + length])
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw WeightError(file.path, .malformed("\(what()) at byte \(offset) is not UTF-8"))
    }
    return text
  }

  /// A metadata value of type number `kind`, as the format numbers them.
  mutating func value(
    kind: UInt32, _ key: String, depth: Int = 0
  ) throws(WeightError) -> GGUFValue {
    switch kind {
    case 0: .int(Int(try number(UInt8.self, key)))
    case 1: .int(Int(try number(Int8.self, key)))
    case 2: .int(Int(try number(UInt16.self, key)))
    case 3: .int(Int(try number(Int16.self, key)))
    case 4: .int(Int(try number(UInt32.self, key)))
    case 5: .int(Int(try number(Int32.self, key)))
    case 6: .float(GGUFValue.decimal(Float(bitPattern: try number(UInt32.self, key))))
    case 7: .bool(try number(UInt8.self, key) != 0)
    case 8: .string(try string("metadata \(key)"))
    case 9: try array(key, depth: depth)
    case 10: unsigned(try number(UInt64.self, key))
    case 11: .int(Int(try number(Int64.self, key)))
    case 12: .float(Double(bitPattern: try number(UInt64.self, key)))
    default:
      throw WeightError(file.path, .malformed("metadata \(key) has unknown value type \(kind)"))
    }
  }

  private func unsigned(_ value: UInt64) -> GGUFValue {
    Int(exactly: value).map { .int($0) } ?? .uint(value)
  }

  private mutating func array(_ key: String, depth: Int) throws(WeightError) -> GGUFValue {
    let kind = try number(UInt32.self, key)
    let smallest = kind == 8 || kind == 9 ? 8 : 1
    let count = try count(unit: smallest, "the length of metadata \(key)")
    switch kind {
    case 8:
      var strings: [String] = []
      strings.reserveCapacity(count)
      for _ in 0..<count { strings.append(try string("metadata \(key)")) }
      return .strings(strings)
    case 9 where depth >= 4:
      throw WeightError(file.path, .malformed("metadata \(key) nests arrays too deeply"))
    default:
      break
    }
    var values: [GGUFValue] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try value(kind: kind, key, depth: depth + 1)) }
    return Self.typed(values, kind: kind)
  }

  /// The plain array of values of one kind.
  private static func typed(_ values: [GGUFValue], kind: UInt32) -> GGUFValue {
    switch kind {
    case 6, 12:
      return .floats(values.compactMap { if case .float(let x) = $0 { x } else { nil } })
    case 7:
      return .bools(values.compactMap { if case .bool(let x) = $0 { x } else { nil } })
    case 0...5, 10, 11:
      let ints = values.compactMap { value -> Int? in if case .int(let x) = value { x } else { nil }
      }
      return ints.count == values.count ? .ints(ints) : .array(values)
    default:
      return .array(values)
    }
  }

  private func claim(_ bytes: Int, _ what: @autoclosure () -> String) throws(WeightError) {
    guard bytes <= file.bytes.count - offset else {
      throw WeightError(
        file.path,
        .truncated(
          what: "the header (\(what()))", needs: offset..<offset + bytes,
          fileBytes: file.bytes.count))
    }
  }
}
