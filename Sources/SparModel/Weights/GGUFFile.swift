/// One GGUF file (version 2 or 3), mapped. Names are reported as stored, shapes row-major (the
/// stored dimensions reversed). Source of the layout: ggml, docs/gguf.md.
///
/// Opening checks the whole header and that every tensor lies inside the file. A tensor of a type
/// that this build does not know is listed with type `unknown` and refused when it is read.
public final class GGUFFile: WeightSource {
  public let path: String
  public let version: Int
  public let metadata: [String: GGUFValue]
  public let entries: [WeightEntry]
  private let file: MappedFile
  private let tensors: [String: Tensor]

  private struct Tensor {
    var entry: WeightEntry
    var typeNumber: UInt32
    /// Absolute; empty for a tensor of unknown type.
    var range: Range<Int>
  }

  public init(_ path: String) throws(WeightError) {
    let file = try MappedFile(path)
    self.path = path
    self.file = file
    var cursor = GGUFCursor(file)
    guard try cursor.number(UInt32.self, "magic") == 0x4655_4747 else {  // "GGUF"
      throw WeightError(path, .malformed("does not start with GGUF"))
    }
    let version = try cursor.number(UInt32.self, "version")
    guard version == 2 || version == 3 else {
      let order = version.byteSwapped == 3 ? " (a big-endian file)" : ""
      throw WeightError(
        path, .unsupported("GGUF version \(version)\(order); this build reads 2 and 3"))
    }
    self.version = Int(version)
    let tensorCount = try cursor.count(unit: 24, "the number of tensors")
    let valueCount = try cursor.count(unit: 13, "the number of metadata values")
    metadata = try Self.readMetadata(&cursor, count: valueCount)
    let alignment: Int
    switch metadata["general.alignment"] {
    case nil: alignment = 32
    case .int(let value)? where value > 0 && value & (value - 1) == 0 && value <= 1 << 20:
      alignment = value
    case let other?:
      throw WeightError(path, .malformed("general.alignment is \(other.summary)"))
    }
    let (entries, tensors) = try Self.readTensors(
      &cursor, count: tensorCount, alignment: alignment)
    self.entries = entries
    self.tensors = tensors
  }

  public func entry(_ name: String) -> WeightEntry? { tensors[name]?.entry }

  public func read(
    _ name: String, into destination: UnsafeMutableBufferPointer<Float>
  ) throws {
    let bytes = try rawBytes(name)
    try WeightReading.read(require(name), bytes, into: destination, path: path)
  }

  public func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let tensor = tensors[name] else { throw absence(of: name) }
    guard tensor.entry.type != .unknown else {
      throw WeightError(
        path,
        .unreadableType(
          tensor: name, type: GGUFTypes.name(tensor.typeNumber), known: GGUFTypes.readableNames))
    }
    return UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
  }

  private static func readMetadata(
    _ cursor: inout GGUFCursor, count: Int
  ) throws(WeightError) -> [String: GGUFValue] {
    var metadata: [String: GGUFValue] = [:]
    for _ in 0..<count {
      let key = try cursor.string("a metadata key")
      let kind = try cursor.number(UInt32.self, "type of \(key)")
      guard metadata.updateValue(try cursor.value(kind: kind, key), forKey: key) == nil else {
        throw WeightError(cursor.file.path, .malformed("metadata \(key) occurs twice"))
      }
    }
    return metadata
  }

  private static func readTensors(
    _ cursor: inout GGUFCursor, count: Int, alignment: Int
  ) throws(WeightError) -> ([WeightEntry], [String: Tensor]) {
    let path = cursor.file.path
    var found: [(entry: WeightEntry, typeNumber: UInt32, offset: UInt64)] = []
    for _ in 0..<count {
      let name = try cursor.string("a tensor name")
      let rank = try cursor.number(UInt32.self, "rank of \(name)")
      guard rank <= 4 else {
        throw WeightError(path, .malformed("tensor \(name) has \(rank) dimensions"))
      }
      var shape: [Int] = []
      var values = 1
      for _ in 0..<rank {
        let stored = try cursor.number(UInt64.self, "shape of \(name)")
        let extent = Int(exactly: stored) ?? -1
        let (product, overflow) = values.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow else {
          throw WeightError(path, .malformed("tensor \(name) has dimension \(stored)"))
        }
        values = product
        shape.insert(extent, at: 0)
      }
      let number = try cursor.number(UInt32.self, "type of \(name)")
      let offset = try cursor.number(UInt64.self, "offset of \(name)")
      let type = GGUFTypes.types[number] ?? .unknown
      found.append((WeightEntry(name: name, type: type, shape: shape), number, offset))
    }
    let dataStart = (cursor.offset + alignment - 1) & ~(alignment - 1)
    var tensors: [String: Tensor] = [:]
    for (entry, number, offset) in found {
      let range = try byteRange(
        of: entry, offset: offset, dataStart: dataStart, alignment: alignment, cursor.file)
      let tensor = Tensor(entry: entry, typeNumber: number, range: range)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw WeightError(path, .malformed("tensor \(entry.name) occurs twice"))
      }
    }
    return (found.map(\.entry), tensors)
  }

  private static func byteRange(
    of entry: WeightEntry, offset: UInt64, dataStart: Int, alignment: Int, _ file: MappedFile
  ) throws(WeightError) -> Range<Int> {
    if entry.type == .unknown {
      // No type packs more than 8 values into a byte; readers may make room for `count` values.
      guard entry.count / 8 <= file.bytes.count else {
        throw WeightError(
          file.path, .malformed("tensor \(entry.name) of shape \(entry.shape) cannot fit the file"))
      }
      return 0..<0
    }
    guard let bytes = entry.type.byteCount(of: entry.count),
      (entry.shape.last ?? 1) % entry.type.blockSize == 0
    else {
      throw WeightError(
        file.path,
        .malformed(
          "tensor \(entry.name) of type \(entry.type) and shape \(entry.shape) has rows that are "
            + "no whole number of blocks of \(entry.type.blockSize)"))
    }
    guard offset % UInt64(alignment) == 0, offset < UInt64(Int.max / 2), bytes < Int.max / 4 else {
      throw WeightError(
        file.path, .malformed("tensor \(entry.name) has offset \(offset) and \(bytes) bytes"))
    }
    let start = dataStart + Int(offset)
    guard start + bytes <= file.bytes.count else {
      throw WeightError(
        file.path,
        .truncated(
          what: "tensor \(entry.name)", needs: start..<start + bytes,
          fileBytes: file.bytes.count))
    }
    return start..<start + bytes
  }
}
