import SparText

/// The values of a page, one after the other; nulls have none.
class PageValues {
  let page: PageBytes
  var at: Int
  let leaf: LeafValue

  init(_ page: PageBytes, at: Int, leaf: LeafValue) {
    self.page = page
    self.at = at
    self.leaf = leaf
  }

  func next() throws(ParquetFault) -> JSONNode {
    throw ParquetFault(what: "a page without values has one")
  }

  /// - Parameter count: of the page, nulls included: bounds what is read ahead.
  static func open(
    _ page: PageBytes, at: Int, encoding: Int, type: PhysicalType, leaf: LeafValue, count: Int,
    dictionary: DictionaryPage?
  ) throws(ParquetFault) -> PageValues {
    switch encoding {
    case 0: return PlainValues(page, at: at, type: type, leaf: leaf)
    case 2, 8:
      guard let dictionary else {
        throw ParquetFault(what: "a page refers to a dictionary that is not there")
      }
      // A page of nulls may have nothing here.
      guard at < page.count else { return PageValues(page, at: at, leaf: leaf) }
      let indices = try RunLength(
        page, at: at + 1, end: page.count, bits: Int(try page.byte(at)))
      return DictionaryValues(page, indices: indices, dictionary: dictionary, leaf: leaf)
    case 3 where type == .boolean:
      let length = try page.length(at: at)
      guard length <= page.count - at - 4 else { throw ParquetFault(what: "a page ends too early") }
      return BooleanRuns(
        page, runs: try RunLength(page, at: at + 4, end: at + 4 + length, bits: 1), leaf: leaf)
    case 5 where type == .int32 || type == .int64:
      guard at < page.count else { return PageValues(page, at: at, leaf: leaf) }
      return DeltaValues(
        page, deltas: try DeltaIntegers(page, at: at), isNarrow: type == .int32, leaf: leaf)
    case 6 where type == .bytes:
      return try DeltaLengthValues(page, at: at, count: count, leaf: leaf)
    case 7 where type == .bytes || type.width != nil:
      return try DeltaTextValues(page, at: at, count: count, leaf: leaf)
    case 9:
      if let width = type.width {
        return SplitValues(page, at: at, type: type, width: width, leaf: leaf)
      }
    default: break
    }
    throw ParquetFault(
      what: "encoding \(encoding) of \(type) is not known",
      cure: "write the file again, with pyarrow's defaults say")
  }
}

/// The distinct values of a column chunk.
final class DictionaryPage {
  fileprivate var values: [JSONNode] = []
  fileprivate var broken: Set<Int> = []

  init(_ page: PageBytes, count: Int, type: PhysicalType, leaf: LeafValue) throws(ParquetFault) {
    // A value takes more memory than its bytes: the page and what can differ bound their number.
    let most: Int
    switch type {
    case .boolean: throw ParquetFault(what: "a dictionary of booleans, which the format has not")
    case .bytes: most = page.count / 4
    default:
      let width = type.width ?? 1
      most = min(page.count / width, width < 4 ? 1 << (8 * width) : .max)
    }
    guard (0...most).contains(count) else {
      throw ParquetFault(
        what: "a dictionary of \(count) values in \(page.count) bytes of \(type)")
    }
    let plain = PlainValues(page, at: 0, type: type, leaf: leaf)
    values.reserveCapacity(count)
    for place in 0..<count {
      leaf.sawBrokenText = false
      values.append(try plain.next())
      if leaf.sawBrokenText { broken.insert(place) }
    }
    leaf.sawBrokenText = false
  }
}

private final class DictionaryValues: PageValues {
  private var indices: RunLength
  private let dictionary: DictionaryPage

  init(_ page: PageBytes, indices: RunLength, dictionary: DictionaryPage, leaf: LeafValue) {
    self.indices = indices
    self.dictionary = dictionary
    super.init(page, at: 0, leaf: leaf)
  }

  override func next() throws(ParquetFault) -> JSONNode {
    let index = try indices.next()
    guard index < dictionary.values.count else {
      throw ParquetFault(
        what: "value \(index) of a dictionary that has \(dictionary.values.count)")
    }
    if dictionary.broken.contains(index) { leaf.sawBrokenText = true }
    return dictionary.values[index]
  }
}

private final class PlainValues: PageValues {
  private let type: PhysicalType
  private var bit = 0

  init(_ page: PageBytes, at: Int, type: PhysicalType, leaf: LeafValue) {
    self.type = type
    super.init(page, at: at, leaf: leaf)
  }

  override func next() throws(ParquetFault) -> JSONNode {
    switch type {
    case .boolean:
      let byte = try page.byte(at + bit / 8)
      defer { bit += 1 }
      return .boolean(byte >> UInt8(bit % 8) & 1 == 1)
    case .bytes:
      let length = try page.length(at: at)
      let bytes = try page.slice((at + 4)..<(at + 4 + length))
      at += 4 + length
      return leaf.bytes(bytes)
    default:
      let width = type.width ?? 0
      defer { at += width }
      return try PageValues.fixed(try page.slice(at..<(at + width)), type, leaf)
    }
  }
}

extension PageValues {
  /// A value of fixed width.
  fileprivate static func fixed(
    _ bytes: UnsafeRawBufferPointer, _ type: PhysicalType, _ leaf: LeafValue
  ) throws(ParquetFault) -> JSONNode {
    switch type {
    case .int32: return leaf.integer(Int(Int32(littleEndian: bytes.loadUnaligned(as: Int32.self))))
    case .int64: return leaf.integer(Int(Int64(littleEndian: bytes.loadUnaligned(as: Int64.self))))
    case .float:
      let bits = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
      return leaf.number(Double(Float(bitPattern: bits)))
    case .double:
      let bits = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
      return leaf.number(Double(bitPattern: bits))
    default: return leaf.bytes(bytes)
    }
  }
}

private final class BooleanRuns: PageValues {
  private var runs: RunLength

  init(_ page: PageBytes, runs: RunLength, leaf: LeafValue) {
    self.runs = runs
    super.init(page, at: 0, leaf: leaf)
  }

  override func next() throws(ParquetFault) -> JSONNode { .boolean(try runs.next() == 1) }
}

private final class DeltaValues: PageValues {
  private var deltas: DeltaIntegers
  private let isNarrow: Bool

  init(_ page: PageBytes, deltas: DeltaIntegers, isNarrow: Bool, leaf: LeafValue) {
    self.deltas = deltas
    self.isNarrow = isNarrow
    super.init(page, at: 0, leaf: leaf)
  }

  override func next() throws(ParquetFault) -> JSONNode {
    let value = try deltas.next()
    // Differences of 32-bit integers wrap around at 32 bits.
    return leaf.integer(isNarrow ? Int(Int32(truncatingIfNeeded: value)) : value)
  }
}

/// DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
private final class DeltaLengthValues: PageValues {
  private let lengths: [Int]
  private var index = 0

  init(_ page: PageBytes, at: Int, count: Int, leaf: LeafValue) throws(ParquetFault) {
    var (lengths, end) = ([Int](), at)
    if at < page.count { (lengths, end) = try DeltaIntegers.all(page, at: at, limit: count) }
    self.lengths = lengths
    super.init(page, at: end, leaf: leaf)
  }

  override func next() throws(ParquetFault) -> JSONNode {
    guard index < lengths.count, lengths[index] >= 0 else {
      throw ParquetFault(what: "a text without a length")
    }
    let bytes = try page.slice(at..<(at + lengths[index]))
    at += lengths[index]
    index += 1
    return leaf.bytes(bytes)
  }
}

/// DELTA_BYTE_ARRAY: how much of the text before is kept, and what follows.
private final class DeltaTextValues: PageValues {
  private let kept: [Int]
  private let lengths: [Int]
  private var index = 0
  private var last: [UInt8] = []

  init(_ page: PageBytes, at: Int, count: Int, leaf: LeafValue) throws(ParquetFault) {
    guard at < page.count else {
      (kept, lengths) = ([], [])
      super.init(page, at: at, leaf: leaf)
      return
    }
    let (kept, middle) = try DeltaIntegers.all(page, at: at, limit: count)
    let (lengths, end) = try DeltaIntegers.all(page, at: middle, limit: count)
    self.kept = kept
    self.lengths = lengths
    super.init(page, at: end, leaf: leaf)
  }

  override func next() throws(ParquetFault) -> JSONNode {
    guard index < kept.count, index < lengths.count, (0...last.count).contains(kept[index]),
      lengths[index] >= 0
    else { throw ParquetFault(what: "a text that continues no other") }
    let rest = try page.slice(at..<(at + lengths[index]))
    guard kept[index] + rest.count <= DataLimits.rowBytes else {
      throw ParquetFault(what: "a text of more than \(DataLimits.rowBytes >> 20) MiB", cure: "")
    }
    last.removeLast(last.count - kept[index])
    last.append(contentsOf: rest)
    at += rest.count
    index += 1
    return last.withUnsafeBytes { leaf.bytes($0) }
  }
}

/// BYTE_STREAM_SPLIT: first bytes of all values, second bytes of all, …
private final class SplitValues: PageValues {
  private let type: PhysicalType
  private let stride: Int
  private var value: [UInt8]
  private let start: Int

  init(_ page: PageBytes, at: Int, type: PhysicalType, width: Int, leaf: LeafValue) {
    self.type = type
    stride = (page.count - at) / width
    value = [UInt8](repeating: 0, count: width)
    start = at
    super.init(page, at: 0, leaf: leaf)
  }

  override func next() throws(ParquetFault) -> JSONNode {
    guard at < stride else { throw ParquetFault(what: "a page ends too early") }
    for place in value.indices { value[place] = try page.byte(start + place * stride + at) }
    at += 1
    do {
      return try value.withUnsafeBytes { try Self.fixed($0, type, leaf) }
    } catch let fault as ParquetFault {
      throw fault
    } catch {
      throw ParquetFault(what: "\(error)")
    }
  }
}
