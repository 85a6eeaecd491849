/// A GGUF file of a decoder as Hugging Face would name, order and store it.
///
/// For the architecture `llama` the rows of the query and key projections are interleaved, see
/// `GGUFHeadOrder`; for `gemma2` norms are stored as 1 + w. This view undoes both, for values and
/// for raw bytes: rows are whole blocks, norms are f32.
public final class GGUFLlamaSource: WeightSource {
  public let file: GGUFFile
  public let model: GGUFModelDescription
  public let entries: [WeightEntry]
  public var path: String { file.path }

  private struct Stored {
    var name: String
    var entry: WeightEntry  // under the Hugging Face name
    var headCount: Int?  // of a permuted projection
    var isPlusOne = false
  }
  private let stored: [String: Stored]
  private let reordered = LentBytes()

  public init(_ file: GGUFFile) throws {
    self.file = file
    model = try GGUFModelDescription(file)
    let names = model.names
    var entries: [WeightEntry] = []
    var stored: [String: Stored] = [:]
    for entry in file.entries where !GGUFTensorNames.isDerived(entry.name) {
      guard let name = names.huggingFace(entry.name) else {
        throw WeightError(
          file.path,
          .unsupported(
            "tensor \(entry.name) has no place in a \(model.architecture) model as Spar knows it"))
      }
      var heads: Int?
      if names.isInterleaved(entry.name) {
        let count = entry.name.contains(".attn_q.") ? model.headCount : model.keyValueHeadCount
        guard let rows = entry.shape.first, rows % (2 * count) == 0 else {
          throw WeightError(
            file.path,
            .malformed("tensor \(entry.name) of shape \(entry.shape) does not fit \(count) heads"))
        }
        heads = count
      }
      let renamed = WeightEntry(name: name, type: entry.type, shape: entry.shape)
      entries.append(renamed)
      let isPlusOne = names.isNormPlusOne(entry.name)
      guard !isPlusOne || entry.type == .f32 else {
        throw WeightError(
          file.path, .unsupported("norm \(entry.name) of type \(entry.type); norms are f32"))
      }
      stored[name] = Stored(
        name: entry.name, entry: renamed, headCount: heads, isPlusOne: isPlusOne)
    }
    self.entries = entries
    self.stored = stored
  }

  public convenience init(path: String) throws {
    try self.init(GGUFFile(path))
  }

  public func entry(_ name: String) -> WeightEntry? { stored[name]?.entry }

  public func read(
    _ name: String, into destination: UnsafeMutableBufferPointer<Float>
  ) throws {
    guard let tensor = stored[name] else { throw absence(of: name) }
    guard let heads = tensor.headCount else {
      try file.read(tensor.name, into: destination)
      if tensor.isPlusOne { for i in destination.indices { destination[i] -= 1 } }
      return
    }
    let bytes = try file.rawBytes(tensor.name)
    guard destination.count == tensor.entry.count else {
      throw WeightError(
        path, .size(tensor: name, expected: tensor.entry.count, found: destination.count))
    }
    guard let source = bytes.baseAddress, let target = destination.baseAddress else { return }
    let rows = tensor.entry.shape[0]
    let (columns, rowBytes) = (destination.count / rows, bytes.count / rows)
    for row in 0..<rows {
      let from = GGUFHeadOrder.stored(row, headSize: rows / heads)
      tensor.entry.type.decode(
        source + from * rowBytes, count: columns, into: target + row * columns)
    }
  }

  /// What is stored in another way is copied once and kept as long as the source lives.
  public func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let tensor = stored[name] else { throw absence(of: name) }
    let bytes = try file.rawBytes(tensor.name)
    if tensor.isPlusOne {
      return try reordered.bytes(name, count: bytes.count) { target in
        Self.subtractOne(bytes, into: target)
      }
    }
    guard let heads = tensor.headCount, let source = bytes.baseAddress else { return bytes }
    let rows = tensor.entry.shape[0]
    return try reordered.bytes(name, count: bytes.count) { target in
      Self.reorder(source, into: target, rows: rows, heads: heads)
    }
  }

  public func lendBytes(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard let tensor = stored[name] else { throw absence(of: name) }
    let bytes = try file.rawBytes(tensor.name)
    guard tensor.isPlusOne || tensor.headCount != nil, let source = bytes.baseAddress else {
      return try body(bytes)
    }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    defer { copy.deallocate() }
    if let heads = tensor.headCount {
      Self.reorder(source, into: copy, rows: tensor.entry.shape[0], heads: heads)
    } else {
      Self.subtractOne(bytes, into: copy)
    }
    try body(UnsafeRawBufferPointer(copy))
  }

  private static func subtractOne(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) {
    for at in stride(from: 0, to: target.count, by: 4) {
      let value = source.loadUnaligned(fromByteOffset: at, as: Float.self) - 1
      target.storeBytes(of: value, toByteOffset: at, as: Float.self)
    }
  }

  private static func reorder(
    _ source: UnsafeRawPointer, into target: UnsafeMutableRawBufferPointer, rows: Int, heads: Int
  ) {
    guard let base = target.baseAddress else { return }
    let rowBytes = target.count / rows
    for row in 0..<rows {
      let from = GGUFHeadOrder.stored(row, headSize: rows / heads)
      (base + row * rowBytes).copyMemory(from: source + from * rowBytes, byteCount: rowBytes)
    }
  }
}
