import Foundation
import SparTensor
import SparText
import Testing

@testable import SparData

@Suite("Damaged Parquet") struct HostileParquetTests {
  /// Reads all; the error where there is one.
  private func error(_ bytes: [UInt8], _ folder: TemporaryFolder) throws -> DataError? {
    let path = try folder.write("x.parquet", bytes)
    do throws(DataError) {
      let reader = try ParquetReader(path)
      var count = 0
      // A footer may claim more rows than anyone waits for.
      while try reader.next() != nil, count < 10_000 { count += 1 }
      return nil
    } catch {
      return error
    }
  }

  @Test("a file that is cut off says so, wherever it is cut")
  func truncated() throws {
    let folder = try TemporaryFolder()
    let whole = [UInt8](
      try Data(contentsOf: URL(fileURLWithPath: ParquetFixtures.path("zstd-dictionary-v2.parquet")))
    )
    for length in stride(from: 0, to: whole.count, by: 97) {
      let found = try #require(try error(Array(whole[..<length]), folder))
      #expect("\(found)".contains("x.parquet") && found.what.contains("not Parquet"), "\(found)")
    }
  }

  @Test("a changed byte is an error or another row, never a crash", arguments: 0..<6)
  func mutated(seed: Int) throws {
    let names = [
      "lz4-delta-v1", "snappy-delta-v2", "zstd-dictionary-v2", "types-plain-v2",
      "snappy-dictionary-v1", "none-old-names",
    ]
    let folder = try TemporaryFolder()
    let path = ParquetFixtures.path(names[seed] + ".parquet")
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var random = Random(seed: UInt64(seed), stage: .bootstrap)
    for _ in 0..<150 {
      var bytes = whole
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = try error(bytes, folder)
    }
  }

  @Test("a page with a checksum that does not fit is damage")
  func checksum() throws {
    let folder = try TemporaryFolder()
    let path = ParquetFixtures.path("none-checksums-v2.parquet")
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    // Statistics hold such texts, too; they are not looked at.
    let places = whole.indices.filter { whole[$0...].starts(with: Array("why is the sky".utf8)) }
    let errors = try places.compactMap { place in
      var bytes = whole
      bytes[place] = UInt8(ascii: "W")
      return try error(bytes, folder)
    }
    #expect(errors.count > 10)
    #expect(errors.allSatisfy { $0.what.contains("checksum") && $0.place.hasPrefix("row ") })
  }

  @Test("a footer that claims to be longer than the file")
  func lyingFooter() throws {
    let folder = try TemporaryFolder()
    let bytes = Array("PAR1".utf8) + [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F] + Array("PAR1".utf8)
    let found = try #require(try error(bytes, folder))
    #expect(found.what.contains("footer of 2147483647 bytes"), "\(found)")
    let encrypted = Array("PAR1".utf8) + [0, 0, 0, 0] + Array("PARE".utf8)
    #expect(try error(encrypted, folder)?.what.contains("encrypted") == true)
  }

  @Test("headers nest to a bound, and lists are no longer than their bytes")
  func thrift() {
    func parse(_ bytes: [UInt8]) -> ParquetFault? {
      bytes.withUnsafeBytes { raw in
        do throws(ParquetFault) {
          _ = try ParquetFooter(raw)
          return nil
        } catch {
          return error
        }
      }
    }
    #expect(parse([UInt8](repeating: 0x1C, count: 100_000))?.what.contains("nests") == true)
    #expect(parse([UInt8](repeating: 0x19, count: 100_000))?.what.contains("nests") == true)
    // A list of 2^35 structures.
    #expect(parse([0x29, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])?.what == ThriftReader.ended)
    #expect(parse([])?.what == ThriftReader.ended)
    // Values of no type take no bytes, so that lists of lists of them would never end.
    #expect(parse([0x19, 0x20, 0, 0])?.what.contains("no type") == true)
  }

  @Test("structures that hold nothing are refused before they fill the memory")
  func emptyStructures() {
    func parse(_ bytes: [UInt8]) -> String? {
      bytes.withUnsafeBytes { raw in
        do throws(ParquetFault) {
          _ = try ParquetFooter(raw)
          return nil
        } catch {
          return error.what
        }
      }
    }
    func list(_ id: UInt8, of count: Int, kind: UInt8, _ element: [UInt8]) -> [UInt8] {
      var head: [UInt8] = [id << 4 | 9, 0xF0 | kind]
      var rest = count
      while rest > 0x7F {
        head.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
      }
      head.append(UInt8(rest))
      return head + [[UInt8]](repeating: element, count: count).joined()
    }
    let many = DataLimits.schemaFields + 1
    // Fields of no name; named ones without end; row groups, chunks and path pieces likewise.
    #expect(parse(list(2, of: 20, kind: 12, [0]))?.contains("no name") == true)
    #expect(parse(list(2, of: many, kind: 12, [0x48, 0, 0]))?.contains("fields") == true)
    #expect(
      parse(list(4, of: DataLimits.columnChunks + 1, kind: 12, [0]))?.contains("row groups") == true
    )
    #expect(
      parse(list(4, of: 1, kind: 12, list(1, of: 20, kind: 12, [0])))?.contains("not described")
        == true)
    let path = list(3, of: 300, kind: 8, [0])
    #expect(
      parse(list(4, of: 1, kind: 12, list(1, of: 1, kind: 12, [0x3C] + path)))?.contains("too long")
        == true)
  }

  @Test("a dictionary holds no more values than can differ")
  func dictionaries() throws {
    func fault(_ type: PhysicalType, bytes: Int, values: Int) throws -> ParquetFault? {
      let page = PageBytes(count: bytes)
      page.raw.initializeMemory(as: UInt8.self, repeating: 0)
      let leaf = ParquetSchema.Leaf(
        path: "x", type: type, logical: nil, definition: 0, repetition: 0)
      do throws(ParquetFault) {
        _ = try DictionaryPage(page, count: values, type: type, leaf: LeafValue(leaf))
        return nil
      } catch {
        return error
      }
    }
    #expect(try fault(.boolean, bytes: 1, values: 2) != nil)
    #expect(try fault(.fixed(1), bytes: 300, values: 257) != nil)
    #expect(try fault(.fixed(1), bytes: 300, values: 256) == nil)
    #expect(try fault(.bytes, bytes: 40, values: 11) != nil)
    #expect(try fault(.bytes, bytes: 40, values: 10) == nil)
    #expect(try fault(.int32, bytes: 40, values: 11) != nil)
  }

  @Test("a page claims more than the limit, or more than it decompresses to")
  func bombs() throws {
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
    defer { output.deallocate() }
    func decompress(_ codec: PageCodec, _ bytes: [UInt8]) -> Bool {
      bytes.withUnsafeBytes { raw in
        do throws(ParquetFault) {
          try codec.decompress(raw, to: output)
          return true
        } catch {
          return false
        }
      }
    }
    // Snappy: length 16, a literal of one byte, then copies that reach too far back or ahead.
    #expect(decompress(.snappy, [16, 0, 65, 0x3A, 1, 0]) == true)
    #expect(Array(output) == [UInt8](repeating: 65, count: 16))
    #expect(!decompress(.snappy, [16, 0, 65, 0x3E, 1, 0]))
    #expect(!decompress(.snappy, [16, 0, 65, 0x3A, 2, 0]))
    #expect(!decompress(.snappy, [0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 65]))
    #expect(!decompress(.snappy, [16, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF]))
    // LZ4: a literal, then a match of 15 more.
    #expect(decompress(.lz4, [0x1B, 65, 1, 0]) == true)
    #expect(!decompress(.lz4, [0x1F, 65, 1, 0, 255, 255, 255, 0]))
    #expect(!decompress(.lz4, [0x1B, 65, 9, 0]))
    #expect(!decompress(.lz4, [0xFF, 255]))
    for codec in [PageCodec.gzip, .zstd, .none] { #expect(!decompress(codec, [1, 2, 3])) }
    #expect(throws: ParquetFault.self) { try PageCodec(named: 4) }
  }

  @Test("a date beyond every calendar is its number of days")
  func dates() {
    for days in [Int.min, .max, 400_000_000] {
      #expect(CalendarText.date(days: days) == "\(days) days")
    }
  }

  @Test("runs and differences that lie end")
  func runs() throws {
    func page(_ bytes: [UInt8]) -> PageBytes {
      let page = PageBytes(count: bytes.count)
      page.raw.copyBytes(from: bytes)
      return page
    }
    var endless = try RunLength(page([0, 0, 0, 0]), at: 0, end: 4, bits: 1)
    #expect(throws: ParquetFault.self) { while true { _ = try endless.next() } }
    var cut = try RunLength(page([0x03, 0x05]), at: 0, end: 2, bits: 8)
    #expect(try cut.next() == 5)
    #expect(throws: ParquetFault.self) { try cut.next() }
    // 2^27 differences of no bits: read one at a time, refused as lengths.
    let zeros = page([128, 1, 4, 0x80, 0x80, 0x80, 0x40, 0, 0, 0, 0, 0, 0])
    #expect(throws: ParquetFault.self) { try DeltaIntegers.all(zeros, at: 0, limit: 100) }
    #expect(throws: ParquetFault.self) { try DeltaIntegers(page([0, 0, 1, 0]), at: 0) }
    #expect(throws: ParquetFault.self) { try DeltaIntegers(page([1]), at: 0) }
  }
}
