import Foundation
import SparStore

/// Writes safetensors files, atomically: see `AtomicFile`.
public enum SafetensorsWriter {
  /// Of a type that the format has: f32, f16 or bf16, or what its source stores.
  public typealias Tensor = OutgoingTensor

  /// Writes the tensors in the given order.
  ///
  /// - Parameter metadata: the `__metadata__` object; transformers expects `format: pt` in it.
  /// - Throws: `StoreError` for the file, `WeightError` for a tensor whose values do not fit its
  ///   shape, and what a provider throws.
  public static func write(
    _ tensors: [Tensor], metadata: [String: String] = ["format": "pt"], to path: String,
    progress: (_ bytes: Int) throws -> Void = { _ in }
  ) throws {
    let header = try header(tensors, metadata: metadata, path: path)
    try AtomicFile.writeBytes(to: path, doing: "writing the weights") { sink in
      var length = UInt64(header.count).littleEndian
      try withUnsafeBytes(of: &length) { try sink.write($0) }
      try header.withUnsafeBytes { try sink.write($0) }
      for tensor in tensors {
        try tensor.write(to: sink, path: path, progress: progress)
      }
    }
  }

  /// JSON, padded with spaces so that the data start on a multiple of 64 bytes.
  private static func header(
    _ tensors: [Tensor], metadata: [String: String], path: String
  ) throws -> [UInt8] {
    var text = "{"
    if !metadata.isEmpty {
      let pairs = try metadata.sorted { $0.key < $1.key }
        .map { try "\(quoted($0.key)):\(quoted($0.value))" }
      text += "\"__metadata__\":{\(pairs.joined(separator: ","))}"
    }
    var offset = 0
    var names: Set<String> = []
    for tensor in tensors {
      guard let dtype = tensor.type.safetensorsName,
        let bytes = tensor.type.byteCount(of: tensor.count)
      else {
        throw WeightError(
          path,
          .unreadableType(
            tensor: tensor.name, type: "\(tensor.type)", known: ["f32", "f16", "bf16"]))
      }
      guard names.insert(tensor.name).inserted, tensor.name != "__metadata__" else {
        throw WeightError(path, .malformed("tensor name \(tensor.name) cannot be used (again)"))
      }
      if text.count > 1 { text += "," }
      text +=
        try "\(quoted(tensor.name)):{\"dtype\":\"\(dtype)\",\"shape\":\(tensor.shape),"
        + "\"data_offsets\":[\(offset),\(offset + bytes)]}"
      offset += bytes
    }
    text += "}"
    var header = Array(text.utf8)
    let padding = 63 - (8 + header.count + 63) % 64
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
    return header
  }

  private static func quoted(_ text: String) throws -> String {
    String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
  }
}
