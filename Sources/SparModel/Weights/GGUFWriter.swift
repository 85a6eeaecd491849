import SparStore

/// Writes GGUF files of version 3, little-endian, atomically: see `AtomicFile`.
/// Source of the layout: ggml, docs/gguf.md.
public enum GGUFWriter {
  /// Bytes to whose multiples tensors are aligned; the format's default.
  static let alignment = 32

  /// Writes the tensors in the given order, under GGUF's own names and row-major shapes.
  ///
  /// - Parameter metadata: in the order of the file, `general.architecture` first.
  /// - Throws: `StoreError` for the file, `WeightError` for a tensor of a type that GGUF has not or
  ///   with rows that are no whole blocks, and what a source throws.
  public static func write(
    _ tensors: [OutgoingTensor], metadata: [(key: String, value: GGUFField)], to path: String,
    progress: (_ bytes: Int) throws -> Void = { _ in }
  ) throws {
    var header: [UInt8] = []
    GGUFField.append(UInt32(0x4655_4747), to: &header)  // "GGUF"
    GGUFField.append(UInt32(3), to: &header)
    GGUFField.append(UInt64(tensors.count), to: &header)
    GGUFField.append(UInt64(metadata.count), to: &header)
    for (key, value) in metadata {
      GGUFField.append(key, to: &header)
      GGUFField.append(value.kind, to: &header)
      value.append(to: &header)
    }
    var offset = 0
    for tensor in tensors {
      let bytes = try byteCount(tensor, path: path)
      GGUFField.append(tensor.name, to: &header)
      GGUFField.append(UInt32(tensor.shape.count), to: &header)
      for extent in tensor.shape.reversed() { GGUFField.append(UInt64(extent), to: &header) }
      GGUFField.append(GGUFTypes.number(tensor.type) ?? 0, to: &header)
      GGUFField.append(UInt64(offset), to: &header)
      offset += aligned(bytes)
    }
    header.append(contentsOf: repeatElement(0, count: aligned(header.count) - header.count))
    try AtomicFile.writeBytes(to: path, doing: "writing the model") { sink in
      try header.withUnsafeBytes { try sink.write($0) }
      for tensor in tensors {
        try tensor.write(to: sink, path: path, progress: progress)
        let bytes = try byteCount(tensor, path: path)
        let padding = [UInt8](repeating: 0, count: aligned(bytes) - bytes)
        try padding.withUnsafeBytes { try sink.write($0) }
      }
    }
  }

  private static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) & ~(alignment - 1) }

  private static func byteCount(_ tensor: OutgoingTensor, path: String) throws -> Int {
    guard GGUFTypes.number(tensor.type) != nil, tensor.shape.count <= 4,
      (tensor.shape.last ?? 1) % tensor.type.blockSize == 0,
      let bytes = tensor.type.byteCount(of: tensor.count)
    else {
      throw WeightError(
        path,
        .malformed(
          "tensor \(tensor.name) of shape \(tensor.shape) cannot be stored as \(tensor.type)"))
    }
    return bytes
  }
}
