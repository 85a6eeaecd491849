import Foundation

/// The JSON header of a safetensors file, checked against the file.
///
/// Layout: 8 bytes little-endian length N, N bytes of JSON, then the data. Each tensor gives its
/// dtype, shape and byte range within the data. Source: the format section of
/// github.com/huggingface/safetensors; the checks are those of its reader and a few more.
struct SafetensorsHeader {
  struct Tensor {
    var entry: WeightEntry
    /// Absolute byte range in the file.
    var range: Range<Int>
  }
  var tensors: [Tensor]
  /// The optional `__metadata__` object.
  var metadata: [String: String]

  /// Longest header that is accepted, as in the reference reader.
  static let maximumBytes = 100_000_000

  init(_ file: MappedFile) throws(WeightError) {
    let size = file.bytes.count
    guard size >= 8 else {
      throw WeightError(file.path, .truncated(what: "the header", needs: 0..<8, fileBytes: size))
    }
    let stored = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    guard stored <= Self.maximumBytes else {
      throw WeightError(
        file.path,
        .malformed("header length \(stored) exceeds the format's limit \(Self.maximumBytes)"))
    }
    let start = 8 + Int(stored)
    guard start <= size else {
      throw WeightError(
        file.path, .truncated(what: "the header", needs: 8..<start, fileBytes: size))
    }
    let json: SafetensorsJSON
    do {
      json = try JSONDecoder().decode(
        SafetensorsJSON.self, from: Data(UnsafeRawBufferPointer(rebasing: file.bytes[8..<start])))
    } catch {
      throw WeightError(file.path, .malformed("header: \(Self.describe(error))"))
    }
    metadata = json.metadata
    tensors = []
    for (name, tensor) in json.tensors {
      tensors.append(try Self.check(name, tensor, dataStart: start, file: file))
    }
    tensors.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.entry.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.entry.name)
    }
    try checkCoverage(dataStart: start, file: file)
  }

  /// dtype known, shape valid, size = shape · dtype, range inside the file.
  private static func check(
    _ name: String, _ tensor: SafetensorsJSON.Tensor, dataStart: Int, file: MappedFile
  ) throws(WeightError) -> Tensor {
    guard let type = WeightType(safetensors: tensor.dtype) else {
      throw WeightError(
        file.path,
        .unreadableType(
          tensor: name, type: tensor.dtype, known: WeightType.safetensorsNames.map(\.0)))
    }
    var count = 1
    for extent in tensor.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw WeightError(file.path, .malformed("tensor \(name) has shape \(tensor.shape)"))
      }
      count = product
    }
    let offsets = tensor.dataOffsets
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
      throw WeightError(file.path, .malformed("tensor \(name) has data_offsets \(offsets)"))
    }
    guard let bytes = type.byteCount(of: count), bytes == offsets[1] - offsets[0] else {
      throw WeightError(
        file.path,
        .malformed(
          "tensor \(name) of shape \(tensor.shape) and dtype \(tensor.dtype) does not fit its "
            + "\(offsets[1] - offsets[0]) bytes (data_offsets \(offsets))"))
    }
    let (end, overflow) = offsets[1].addingReportingOverflow(dataStart)
    guard !overflow, end <= file.bytes.count else {
      throw WeightError(
        file.path,
        .truncated(
          what: "tensor \(name)", needs: (offsets[0] &+ dataStart)..<(overflow ? .max : end),
          fileBytes: file.bytes.count))
    }
    return Tensor(
      entry: WeightEntry(name: name, type: type, shape: tensor.shape),
      range: (offsets[0] + dataStart)..<end)
  }

  /// The tensors cover the data exactly: no overlap, no hole, nothing left over.
  private func checkCoverage(dataStart: Int, file: MappedFile) throws(WeightError) {
    var end = dataStart
    var previous = "the header"
    for tensor in tensors {
      let range = tensor.range
      guard range.lowerBound == end else {
        let relation = range.lowerBound < end ? "overlaps" : "leaves a hole after"
        throw WeightError(
          file.path,
          .malformed(
            "tensor \(tensor.entry.name) at bytes \(range.lowerBound)..\(range.upperBound) "
              + "\(relation) \(previous), which ends at \(end)"))
      }
      end = range.upperBound
      previous = "tensor \(tensor.entry.name)"
    }
    guard end == file.bytes.count else {
      throw WeightError(
        file.path,
        .malformed("\(previous) ends at byte \(end), but the file has \(file.bytes.count)"))
    }
  }

  /// A decoding error in one line, with the path of keys that led to it.
  private static func describe(_ error: any Error) -> String {
    guard let decoding = error as? DecodingError else { return "\(error)" }
    switch decoding {
    case .dataCorrupted(let context):
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      return place.isEmpty
        ? "not valid JSON" : "\(place): \(context.debugDescription)"
    case .keyNotFound(let key, let context):
      return (context.codingPath + [key]).map(\.stringValue).joined(separator: ".") + " is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return context.codingPath.map(\.stringValue).joined(separator: ".") + ": "
        + context.debugDescription
    @unknown default:
      return "\(decoding)"
    }
  }
}

/// The header as JSON says it.
struct SafetensorsJSON: Decodable {
  struct Tensor: Decodable {
    var dtype: String
    var shape: [Int]
    var dataOffsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
  var metadata: [String: String] = [:]
  var tensors: [(String, Tensor)] = []

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      if key.stringValue == "__metadata__" {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        tensors.append((key.stringValue, try container.decode(Tensor.self, forKey: key)))
      }
    }
  }
}

extension WeightType {
  /// The dtype names of the format. F8 types are known to the format, and not to Spar.
  static let safetensorsNames: [(String, WeightType)] = [
    ("F64", .f64), ("F32", .f32), ("F16", .f16), ("BF16", .bf16), ("I64", .i64), ("I32", .i32),
    ("I16", .i16), ("I8", .i8), ("U64", .u64), ("U32", .u32), ("U16", .u16), ("U8", .u8),
    ("BOOL", .bool),
  ]

  init?(safetensors name: String) {
    guard let found = Self.safetensorsNames.first(where: { $0.0 == name }) else { return nil }
    self = found.1
  }

  /// The dtype name, nil for types that the format has not.
  var safetensorsName: String? {
    Self.safetensorsNames.first { $0.1 == self }?.0
  }
}
