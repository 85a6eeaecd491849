/// One safetensors file, mapped. Everything is checked when it is opened; see `SafetensorsHeader`.
public final class SafetensorsFile: WeightSource {
  public let path: String
  public let entries: [WeightEntry]
  /// The `__metadata__` object, for example `format: pt`.
  public let metadata: [String: String]
  private let file: MappedFile
  private let tensors: [String: SafetensorsHeader.Tensor]

  public init(_ path: String) throws(WeightError) {
    let file = try MappedFile(path)
    let header = try SafetensorsHeader(file)
    self.path = path
    self.file = file
    entries = header.tensors.map(\.entry)
    metadata = header.metadata
    tensors = Dictionary(
      header.tensors.map { ($0.entry.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  public func entry(_ name: String) -> WeightEntry? { tensors[name]?.entry }

  public func read(
    _ name: String, into destination: UnsafeMutableBufferPointer<Float>
  ) throws {
    let entry = try require(name)
    try WeightReading.read(entry, rawBytes(name), into: destination, path: path)
  }

  public func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let tensor = tensors[name] else { throw absence(of: name) }
    return UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
  }
}

/// The step that all sources of mapped bytes share.
enum WeightReading {
  /// Decodes a whole tensor after checking the size of the destination.
  static func read(
    _ entry: WeightEntry, _ bytes: UnsafeRawBufferPointer,
    into destination: UnsafeMutableBufferPointer<Float>, path: String
  ) throws(WeightError) {
    let count = entry.count
    guard destination.count == count else {
      throw WeightError(
        path, .size(tensor: entry.name, expected: count, found: destination.count))
    }
    guard let source = bytes.baseAddress, let target = destination.baseAddress else { return }
    entry.type.decode(source, count: count, into: target)
  }
}
