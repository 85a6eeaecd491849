import CZlib
import SparText

/// One leaf column of a row group: levels and values, a page at a time in memory.
final class ColumnReader {
  private let file: FileBytes
  private let leaf: ParquetSchema.Leaf
  private let chunk: ParquetFooter.Chunk
  private let codec: PageCodec
  private let value: LeafValue
  /// Of the next page.
  private var offset: Int
  private let end: Int
  private var dictionary: DictionaryPage?
  private var values: PageValues?
  private var repetitions: RunLength?
  private var definitions: RunLength?
  private var left = 0

  /// Levels of the entry at hand; `repetition` is -1 behind the last.
  private(set) var repetition = 0
  private(set) var definition = 0

  init(_ file: FileBytes, _ leaf: ParquetSchema.Leaf, _ chunk: ParquetFooter.Chunk)
    throws(ParquetFault)
  {
    guard chunk.otherFile == nil else {
      throw ParquetFault(
        what: "the column lies in another file", cure: "write the file again as one")
    }
    guard chunk.path == leaf.path else {
      throw ParquetFault(what: "column \(chunk.path) stands where \(leaf.path) should")
    }
    guard chunk.start >= 4, chunk.compressedSize >= 0,
      chunk.compressedSize <= file.size - chunk.start
    else {
      throw ParquetFault(
        what: "\(chunk.compressedSize) bytes from byte \(chunk.start) of a file of \(file.size)",
        cure: "the file is cut off or damaged: fetch it again")
    }
    self.file = file
    self.leaf = leaf
    self.chunk = chunk
    codec = try PageCodec(named: chunk.codec)
    value = LeafValue(leaf)
    offset = chunk.start
    end = chunk.start + chunk.compressedSize
  }

  var path: String { leaf.path }
  var position: Int { offset }

  /// Whether a text since the last call was not UTF-8.
  func takeBrokenText() -> Bool {
    defer { value.sawBrokenText = false }
    return value.sawBrokenText
  }

  /// To the first entry.
  func start() throws(DataOrFault) { try advance() }

  /// The value at hand (null where there is none), and on to the next entry.
  func take() throws(DataOrFault) -> JSONNode {
    guard repetition >= 0 else { throw .fault(ParquetFault(what: "the column ends too early")) }
    let result: JSONNode
    if definition == leaf.definition, let values {
      do throws(ParquetFault) {
        result = try values.next()
      } catch {
        throw .fault(error)
      }
    } else {
      result = .null
    }
    try advance()
    return result
  }

  private func advance() throws(DataOrFault) {
    while left == 0 {
      guard offset < end else {
        repetition = -1
        definition = -1
        return
      }
      try readPage()
    }
    left -= 1
    do throws(ParquetFault) {
      repetition = try repetitions?.next() ?? 0
      definition = try definitions?.next() ?? 0
    } catch {
      throw .fault(error)
    }
    guard repetition <= leaf.repetition, definition <= leaf.definition else {
      throw .fault(
        ParquetFault(what: "levels \(repetition) and \(definition) are not the column's"))
    }
  }

  private func readPage() throws(DataOrFault) {
    let (header, length) = try readHeader()
    let start = offset + length
    do throws(ParquetFault) {
      guard header.compressedSize >= 0, header.compressedSize <= end - start else {
        throw ParquetFault(what: "a page of \(header.compressedSize) bytes reaches over its column")
      }
      // Compression lengthens what it cannot shorten, but by far less than twice.
      guard header.compressedSize <= 2 * DataLimits.pageBytes else {
        throw ParquetFault(what: "a page of \(header.compressedSize) compressed bytes")
      }
      guard header.size >= 0, header.size <= DataLimits.pageBytes else {
        throw ParquetFault(
          what: "a page claims \(header.size) bytes, the limit is \(DataLimits.pageBytes)",
          cure: "write the file again with smaller pages (pyarrow: data_page_size)")
      }
      guard header.values >= 0, header.values <= 1 << 27 else {
        throw ParquetFault(what: "a page claims \(header.values) values")
      }
    } catch {
      throw .fault(error)
    }
    let stored = PageBytes(count: header.compressedSize)
    let count: Int
    do throws(DataError) {
      count = try file.read(at: start, into: stored.raw)
    } catch {
      throw .data(error)
    }
    do throws(ParquetFault) {
      guard count == stored.count else { throw ParquetFault(what: "a page ends too early") }
      if let sum = header.checksum, sum != Self.checksum(stored) {
        throw ParquetFault(what: "a page's checksum does not fit")
      }
      try open(header, stored)
    } catch {
      throw .fault(error)
    }
    offset = start + header.compressedSize
  }

  private static func checksum(_ page: PageBytes) -> UInt32 {
    UInt32(
      truncatingIfNeeded: crc32(
        0, page.raw.bindMemory(to: UInt8.self).baseAddress, UInt32(page.count)))
  }

  /// The header at `offset`; it is short, unless statistics hold long texts.
  private func readHeader() throws(DataOrFault) -> (ParquetPageHeader, length: Int) {
    var size = 1 << 12
    while true {
      let bytes = PageBytes(count: min(size, end - offset))
      do throws(DataError) {
        guard try file.read(at: offset, into: bytes.raw) == bytes.count else {
          throw DataError(path: file.path, what: "the file ends too early", cure: "")
        }
      } catch {
        throw .data(error)
      }
      do throws(ParquetFault) {
        return try ParquetPageHeader.read(UnsafeRawBufferPointer(bytes.raw))
      } catch {
        guard error.what == ThriftReader.ended, bytes.count == size, size < 1 << 26 else {
          throw .fault(error)
        }
        size *= 8
      }
    }
  }

  private func open(_ header: ParquetPageHeader, _ stored: PageBytes) throws(ParquetFault) {
    switch header.kind {
    case .dictionary:
      let page = try expand(stored, from: 0, to: header.size, isCompressed: true)
      dictionary = try DictionaryPage(page, count: header.values, type: leaf.type, leaf: value)
    case .data:
      let page = try expand(stored, from: 0, to: header.size, isCompressed: true)
      var at = 0
      if leaf.repetition > 0 {
        repetitions = try levels(page, &at, leaf.repetition, header.repetitionEncoding)
      }
      if leaf.definition > 0 {
        definitions = try levels(page, &at, leaf.definition, header.definitionEncoding)
      }
      try open(page, at: at, header)
    case .dataV2:
      // Levels come first and are never compressed.
      let first = header.repetitionBytes
      let second = first + header.definitionBytes
      guard first >= 0, header.definitionBytes >= 0, second <= stored.count, second <= header.size
      else { throw ParquetFault(what: "levels of \(second) bytes in a page of \(stored.count)") }
      repetitions = try RunLength(
        stored, at: 0, end: first, bits: Self.bits(leaf.repetition))
      definitions = try RunLength(
        stored, at: first, end: second, bits: Self.bits(leaf.definition))
      let page = try expand(
        stored, from: second, to: header.size - second, isCompressed: header.isCompressed)
      try open(page, at: 0, header)
    case .other: break
    }
  }

  private func open(
    _ page: PageBytes, at: Int, _ header: ParquetPageHeader
  ) throws(ParquetFault) {
    values = try PageValues.open(
      page, at: at, encoding: header.encoding, type: leaf.type, leaf: value,
      count: header.values, dictionary: dictionary)
    left = header.values
  }

  private func expand(
    _ stored: PageBytes, from: Int, to size: Int, isCompressed: Bool
  ) throws(ParquetFault) -> PageBytes {
    if !isCompressed || codec == .none, from == 0, stored.count == size { return stored }
    let page = PageBytes(count: size)
    let input = try stored.slice(from..<stored.count)
    if size == 0 { return page }
    try (isCompressed ? codec : .none).decompress(input, to: page.raw)
    return page
  }

  /// Levels of a page of the first version: a length, then runs.
  private func levels(
    _ page: PageBytes, _ at: inout Int, _ largest: Int, _ encoding: Int
  ) throws(ParquetFault) -> RunLength {
    guard encoding == 3 else {
      throw ParquetFault(
        what: "levels in encoding \(encoding)", cure: "write the file again with a current program")
    }
    let length = try page.length(at: at)
    guard length <= page.count - at - 4 else { throw ParquetFault(what: "a page ends too early") }
    let runs = try RunLength(page, at: at + 4, end: at + 4 + length, bits: Self.bits(largest))
    at += 4 + length
    return runs
  }

  /// Bits that hold 0...largest.
  private static func bits(_ largest: Int) -> Int { Int.bitWidth - largest.leadingZeroBitCount }
}

/// Damage in the format, or a file that cannot be read.
enum DataOrFault: Error {
  case fault(ParquetFault)
  case data(DataError)
}
