import SparStore

/// The parameters of a checkpoint as a weight source.
public final class HDF5WeightSource: WeightSource {
  public let checkpoint: CheckpointFile
  public let entries: [WeightEntry]
  public var path: String { checkpoint.path }
  public var isMapped: Bool { false }
  private let byName: [String: WeightEntry]
  private let lent = LentBytes()

  public init(_ checkpoint: CheckpointFile) throws {
    self.checkpoint = checkpoint
    var entries: [WeightEntry] = []
    for name in try checkpoint.parameterNames() {
      let dataset = try checkpoint.parameter(name)
      guard let type = Self.types[dataset.type] else {
        throw WeightError(
          checkpoint.path,
          .unreadableType(
            tensor: name, type: dataset.type.rawValue, known: ["f32", "f16", "bf16"]))
      }
      entries.append(WeightEntry(name: name, type: type, shape: dataset.shape))
    }
    self.entries = entries
    byName = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Training writes f32; imported models keep what they had.
  static let types: [H5Type: WeightType] = [.f32: .f32, .f16: .f16, .bf16: .bf16]

  public convenience init(path: String) throws {
    try self.init(CheckpointFile(path))
  }

  public func entry(_ name: String) -> WeightEntry? { byName[name] }

  public func read(
    _ name: String, into destination: UnsafeMutableBufferPointer<Float>
  ) throws {
    let entry = try require(name)
    guard destination.count == entry.count else {
      throw WeightError(
        path, .size(tensor: name, expected: entry.count, found: destination.count))
    }
    if entry.type == .f32 { return try checkpoint.readParameter(name, into: destination) }
    try lendBytes(name) { bytes in
      try WeightReading.read(entry, bytes, into: destination, path: path)
    }
  }

  /// Read once into memory and kept: HDF5 does not promise where values lie.
  public func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    let entry = try require(name)
    return try lent.bytes(name, count: byteCount(entry)) { target in
      try checkpoint.parameter(name).read(bytes: target)
    }
  }

  public func lendBytes(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let entry = try require(name)
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount(entry), alignment: 64)
    defer { copy.deallocate() }
    try checkpoint.parameter(name).read(bytes: copy)
    try body(UnsafeRawBufferPointer(copy))
  }

  private func byteCount(_ entry: WeightEntry) -> Int {
    entry.count * entry.type.bytesPerBlock
  }
}
