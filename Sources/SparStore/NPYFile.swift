import Foundation

/// Arrays of numbers as NumPy's .npy files hold them.
///
/// The file is the magic `\x93NUMPY`, a version, the length of a header, the header (a Python
/// dictionary of descr, fortran_order and shape, padded with spaces) and the numbers, row-major.
/// Source: numpy.lib.format, versions 1.0, 2.0 and 3.0.
public struct NPYArray: Equatable, Sendable {
  public var shape: [Int]
  /// Row-major; f32 files give and take each number as the nearest f32.
  public var values: [Double]

  public init(shape: [Int], values: [Double]) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values for \(shape)")
    self.shape = shape
    self.values = values
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Types that are read, and their bytes.
  private static let sizes = ["<f2": 2, "<f4": 4, "<f8": 8, "|f2": 2, "|f4": 4, "|f8": 8]
  private static let doing = "reading the array"
  /// Longer headers than this are damage: there is a list of at most 32 sizes in it.
  private static let longestHeader = 1 << 16

  /// - Throws: `StoreError` for a file that is no .npy file, one of another type than f2, f4 and f8
  ///   (little-endian, C order), and one whose length is not what its header says.
  public init(_ path: String) throws {
    func invalid(_ what: String) -> StoreError {
      StoreError(path: path, doing: Self.doing, .invalid(what))
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw StoreError(path: path, doing: Self.doing, .system(ENOENT))
    }
    let bytes = [UInt8](data)
    guard bytes.count >= 10, bytes.starts(with: Self.magic) else {
      throw invalid("not a .npy file: it does not begin with \\x93NUMPY; write it with numpy.save")
    }
    let wide = bytes[6] >= 2
    guard (1...3).contains(bytes[6]), bytes.count >= 12 else {
      throw invalid("version \(bytes[6]) of the .npy format; 1 to 3 are read")
    }
    let length = (0..<(wide ? 4 : 2)).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = (wide ? 12 : 10) + length
    guard length <= Self.longestHeader, start <= bytes.count else {
      throw invalid("its header has \(length) bytes, the file \(bytes.count): it is cut off")
    }
    let header = String(decoding: bytes[(start - length)..<start], as: UTF8.self)
    guard let fields = NPYHeader(header) else {
      throw invalid("its header cannot be read: \(header.prefix(80))")
    }
    guard let size = Self.sizes[fields.type] else {
      throw invalid(
        "it holds \(fields.type), and little-endian f2, f4 and f8 are read; "
          + "write it anew: numpy.save(file, array.astype(\"<f4\"))")
    }
    guard !fields.isFortran || fields.shape.count < 2 else {
      throw invalid(
        "it is in Fortran order; write it anew: numpy.save(file, numpy.ascontiguousarray(array))")
    }
    var count = 1
    for extent in fields.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= bytes.count else {
        throw invalid("shape \(fields.shape) needs more numbers than the file has bytes")
      }
      count = product
    }
    guard bytes.count - start == count * size else {
      throw invalid(
        "shape \(fields.shape) of \(fields.type) needs \(count * size) bytes, and "
          + "\(bytes.count - start) follow the header: it is cut off, or something was appended")
    }
    shape = fields.shape
    values = bytes.withUnsafeBytes { raw in
      (0..<count).map { index in
        let at = start + index * size
        switch size {
        case 2:
          return Double(
            Float(
              halfBits: UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt16.self))
            ))
        case 4:
          let bits = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt32.self))
          return Double(Float(bitPattern: bits))
        default:
          let bits = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
          return Double(bitPattern: bits)
        }
      }
    }
  }

  /// Writes f32, as numpy.save does.
  public func write(to path: String) throws {
    let extents = shape.map(String.init).joined(separator: ", ")
    let tuple = shape.count == 1 ? "(\(extents),)" : "(\(extents))"
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }"
    // The numbers begin at a multiple of 64.
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    let length = header.utf8.count
    var bytes = Self.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + header.utf8
    for value in values {
      withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    try AtomicFile.writeBytes(to: path, doing: "writing the array") { file in
      try bytes.withUnsafeBytes { try file.write($0) }
    }
  }
}

extension Float {
  /// IEEE half precision, widened without loss.
  fileprivate init(halfBits bits: UInt16) {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Float(bits & 0x3FF))
    switch exponent {
    case 0: self = sign * fraction * 0x1p-24
    case 31: self = fraction == 0 ? sign * .infinity : .nan
    default:
      self =
        sign * (1 + fraction * 0x1p-10)
        * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}

/// The dictionary that a .npy file begins with.
private struct NPYHeader {
  var type = ""
  var isFortran = false
  var shape: [Int] = []

  /// Nil for what numpy would not have written.
  init?(_ text: String) {
    func value(_ key: String) -> Substring? {
      guard let found = text.firstRange(of: "'\(key)':") ?? text.firstRange(of: "\"\(key)\":")
      else { return nil }
      return text[found.upperBound...].drop { $0 == " " }
    }
    guard let descr = value("descr"), let order = value("fortran_order"),
      let extents = value("shape"), let quote = descr.first, quote == "'" || quote == "\"",
      let end = descr.dropFirst().firstIndex(of: quote), extents.first == "(",
      let close = extents.firstIndex(of: ")")
    else { return nil }
    type = String(descr[descr.index(after: descr.startIndex)..<end])
    if order.hasPrefix("True") {
      isFortran = true
    } else if !order.hasPrefix("False") {
      return nil
    }
    let inside = extents[extents.index(after: extents.startIndex)..<close]
    for part in inside.split(separator: ",") {
      let word = part.drop { $0 == " " }.prefix { $0 != " " }
      // A rest without a number is the comma of a tuple of one.
      if word.isEmpty { continue }
      guard let extent = Int(word), extent >= 0 else { return nil }
      shape.append(extent)
    }
  }
}
