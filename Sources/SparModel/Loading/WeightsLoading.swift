import SparCompute
import SparTensor

/// Makes parameters from a weight source, and knows the identity of all that it made.
final class WeightsLoading {
  private let source: any WeightSource
  private let policy: WeightsPolicy
  private let backend: Backend
  private var digest = WeightsDigest()
  /// What was loaded, in order, where matrices stay in their file.
  private var loaded: [WeightEntry] = []

  /// - Throws: `WeightError` where weights are to stay stored in a file that cannot be mapped.
  init(_ source: any WeightSource, _ policy: WeightsPolicy, backend: Backend) throws {
    guard source.isMapped || policy != .stored else {
      throw WeightError(
        source.path,
        .unsupported(
          "its weights cannot stay in the file (--weights stored), which is not mapped; export it "
            + "to a folder or a .gguf file, or leave the choice out"))
    }
    self.source = source
    // What cannot be mapped would be copied and expanded: twice the memory for nothing.
    self.policy = source.isMapped || policy == .q8_0 ? policy.resolved(for: source) : .f32
    self.backend = backend
  }

  func parameter(_ name: String, _ shape: [Int]) throws -> Parameter {
    guard let entry = source.entry(name) else {
      throw ModelError(.missingTensor(name: name), path: source.path)
    }
    guard entry.shape == shape else {
      throw ModelError(
        .shape(name: name, found: entry.shape, expected: shape), path: source.path)
    }
    if policy == .stored {
      loaded.append(entry)
      if let value = try source.mapped(entry) { return Parameter(name: name, value: value) }
    }
    if policy == .q8_0, let value = try rounded(entry) {
      return Parameter(name: name, value: value)
    }
    let value = backend.tensor(shape, use: .weights)
    let buffer = UnsafeMutableBufferPointer(start: value.floats, count: value.count)
    try source.read(name, into: buffer)
    if policy != .stored { digest.add(name, UnsafeBufferPointer(buffer)) }
    return Parameter(name: name, value: value)
  }

  /// The matrix in Q8_0, or as it is stored where that takes no more; nil for what has no blocks.
  private func rounded(_ entry: WeightEntry) throws -> Tensor? {
    if let dtype = entry.type.stored, dtype.block > 1, let value = try source.mapped(entry) {
      digest.add(entry.name, stored: try source.rawBytes(entry.name), entry.type)
      return value
    }
    guard entry.shape.count == 2, entry.shape[1] % DType.q8_0.block == 0 else { return nil }
    let value = backend.tensor(entry.shape, dtype: .q8_0, use: .weights)
    let bytes = UnsafeMutableRawBufferPointer(
      start: value.data, count: DType.q8_0.bytes(entry.count))
    var written = 0
    try OutgoingTensor(entry, of: source, as: entry.name, type: .q8_0).emit(path: source.path) {
      UnsafeMutableRawBufferPointer(rebasing: bytes[written...]).copyMemory(from: $0)
      written += $0.count
    }
    digest.add(entry.name, stored: UnsafeRawBufferPointer(bytes), .q8_0)
    return value
  }

  /// Of everything loaded so far.
  func identity() throws -> WeightsIdentity {
    guard policy == .stored else { return WeightsIdentity(digest.hex) }
    // The values in memory may be trained by the time that somebody asks; those in the file stay.
    let parts = try loaded.map { ($0, LentWeights(try source.rawBytes($0.name), of: source)) }
    return WeightsIdentity {
      var digest = WeightsDigest()
      for (entry, weights) in parts { digest.add(entry.name, stored: weights.bytes, entry.type) }
      return digest.hex
    }
  }
}

/// Bytes of a source, which lives as long as they are used.
private struct LentWeights: @unchecked Sendable {  // read-only
  let bytes: UnsafeRawBufferPointer
  private let source: any WeightSource

  init(_ bytes: UnsafeRawBufferPointer, of source: any WeightSource) {
    self.bytes = bytes
    self.source = source
  }
}
