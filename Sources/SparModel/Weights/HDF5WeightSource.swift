import SparStore

/// The parameters of a checkpoint as a weight source.
public final class HDF5WeightSource: WeightSource {
  public let checkpoint: CheckpointFile
  public let entries: [WeightEntry]
  public var path: String { checkpoint.path }
  private let byName: [String: WeightEntry]
  private let lent = LentBytes()

  public init(_ checkpoint: CheckpointFile) throws {
    self.checkpoint = checkpoint
    var entries: [WeightEntry] = []
    for name in try checkpoint.parameterNames() {
      let dataset = try checkpoint.parameter(name)
      guard dataset.type == .f32 else {
        throw WeightError(
          checkpoint.path,
          .unreadableType(tensor: name, type: dataset.type.rawValue, known: ["f32"]))
      }
      entries.append(WeightEntry(name: name, type: .f32, shape: dataset.shape))
    }
    self.entries = entries
    byName = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

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
    try checkpoint.readParameter(name, into: destination)
  }

  /// Read once into memory and kept: HDF5 does not promise where values lie.
  public func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    let entry = try require(name)
    return try lent.bytes(name, count: 4 * entry.count) { target in
      try checkpoint.readParameter(name, into: target.bindMemory(to: Float.self))
    }
  }
}
