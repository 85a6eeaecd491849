import CZlib
import CZstd

/// How pages are compressed.
enum PageCodec: Int {
  case none = 0
  case snappy = 1
  case gzip = 2
  case zstd = 6
  case lz4 = 7

  init(named raw: Int) throws(ParquetFault) {
    guard let codec = PageCodec(rawValue: raw) else {
      let names = [3: "LZO", 4: "Brotli", 5: "LZ4 of Hadoop"]
      throw ParquetFault(
        what: "pages are compressed by \(names[raw] ?? "codec \(raw)")",
        cure: "write the file again with compression snappy, zstd, gzip, lz4_raw or none")
    }
    self = codec
  }

  /// Fills `output` exactly; compressed bytes that give less or more are damage.
  func decompress(
    _ input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
  ) throws(ParquetFault) {
    let written: Int?
    switch self {
    case .none:
      guard input.count == output.count else {
        throw ParquetFault(what: "a page of \(output.count) bytes has \(input.count)")
      }
      output.copyMemory(from: input)
      return
    case .snappy: written = Snappy.decompress(input, to: output)
    case .lz4: written = LZ4.decompress(input, to: output)
    case .gzip: written = Self.inflate(input, to: output)
    case .zstd:
      let size = ZSTD_decompress(output.baseAddress, output.count, input.baseAddress, input.count)
      written = ZSTD_isError(size) == 0 ? size : nil
    }
    guard let written, written == output.count else {
      throw ParquetFault(
        what: "a page compressed by \(self) does not give its \(output.count) bytes")
    }
  }

  private static func inflate(
    _ input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var stream = z_stream()
    // 32 more than the window's bits: gzip or zlib, whichever it is.
    guard
      inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }
    guard let count = UInt32(exactly: input.count), let room = UInt32(exactly: output.count) else {
      return nil
    }
    stream.next_in = UnsafeMutablePointer(
      mutating: input.bindMemory(to: UInt8.self).baseAddress)
    stream.avail_in = count
    stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
    stream.avail_out = room
    return CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : nil
  }
}

/// Source: google/snappy, format_description.txt.
enum Snappy {
  /// Bytes written, or nil for damaged input.
  static func decompress(
    _ input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var at = 0
    var length = 0
    for shift in stride(from: 0, to: 35, by: 7) {
      guard at < input.count else { return nil }
      let byte = input[at]
      at += 1
      length |= Int(byte & 0x7F) << shift
      if byte < 0x80 { break }
    }
    guard length == output.count else { return nil }
    var copier = Copier(input: input, output: output)
    while at < input.count {
      let tag = input[at]
      at += 1
      var count = Int(tag >> 2) + 1
      var offset = 0
      /// A little-endian number of `width` bytes.
      func number(_ width: Int) -> Int? {
        guard at + width <= input.count else { return nil }
        defer { at += width }
        return (0..<width).reduce(0) { $0 | Int(input[at + $1]) << (8 * $1) }
      }
      switch tag & 3 {
      case 0:
        if count > 60 {
          guard let long = number(count - 60) else { return nil }
          count = long + 1
        }
        guard copier.literal(at: at, count: count) else { return nil }
        at += count
        continue
      case 1:
        guard let low = number(1) else { return nil }
        count = Int(tag >> 2 & 7) + 4
        offset = Int(tag >> 5) << 8 | low
      case 2:
        guard let two = number(2) else { return nil }
        offset = two
      default:
        guard let four = number(4) else { return nil }
        offset = four
      }
      guard copier.copy(offset: offset, count: count) else { return nil }
    }
    return copier.done
  }
}

/// Source: lz4/lz4, lz4_Block_format.md.
enum LZ4 {
  /// Bytes written, or nil for damaged input.
  static func decompress(
    _ input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var at = 0
    var copier = Copier(input: input, output: output)
    /// 15 says that bytes follow which are added, up to one that is not 255.
    func extended(_ count: Int) -> Int? {
      guard count == 15 else { return count }
      var total = count
      while at < input.count {
        let byte = input[at]
        at += 1
        total += Int(byte)
        if byte < 255 { return total }
      }
      return nil
    }
    while at < input.count {
      let token = input[at]
      at += 1
      guard let literal = extended(Int(token >> 4)), copier.literal(at: at, count: literal) else {
        return nil
      }
      at += literal
      if at == input.count { break }
      guard at + 2 <= input.count else { return nil }
      let offset = Int(input[at]) | Int(input[at + 1]) << 8
      at += 2
      guard let match = extended(Int(token & 15)), copier.copy(offset: offset, count: match + 4)
      else { return nil }
    }
    return copier.done
  }
}

/// Literals and repetitions into an output of known size.
private struct Copier {
  let input: UnsafeRawBufferPointer
  let output: UnsafeMutableRawBufferPointer
  var done = 0

  mutating func literal(at: Int, count: Int) -> Bool {
    guard count >= 0, count <= input.count - at, count <= output.count - done else { return false }
    UnsafeMutableRawBufferPointer(rebasing: output[done..<(done + count)])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[at..<(at + count)]))
    done += count
    return true
  }

  mutating func copy(offset: Int, count: Int) -> Bool {
    guard offset > 0, offset <= done, count <= output.count - done,
      let base = output.baseAddress
    else { return false }
    if offset >= count {
      (base + done).copyMemory(from: base + done - offset, byteCount: count)
    } else {
      // The copy reads what it has just written.
      for place in done..<(done + count) { output[place] = output[place - offset] }
    }
    done += count
    return true
  }
}
