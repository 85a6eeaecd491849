import Foundation
import SparStore

/// Writes safetensors files, atomically: see `AtomicFile`.
public enum SafetensorsWriter {
  /// A tensor to be written. `lend` gives its f32 values, row-major, for the time of a call, so
  /// that one tensor at a time needs to be in memory.
  public struct Tensor {
    public typealias Lend = ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
    public var name: String
    /// f32, f16 or bf16; the narrow ones round to nearest, ties to even.
    public var type: WeightType
    public var shape: [Int]
    public var lend: Lend

    public init(name: String, type: WeightType = .f32, shape: [Int], lend: @escaping Lend) {
      self.name = name
      self.type = type
      self.shape = shape
      self.lend = lend
    }

    public init(name: String, type: WeightType = .f32, shape: [Int], values: [Float]) {
      self.init(name: name, type: type, shape: shape) { body in
        try values.withUnsafeBufferPointer(body)
      }
    }

    var count: Int { shape.reduce(1, *) }
  }

  /// Writes the tensors in the given order.
  ///
  /// - Parameter metadata: the `__metadata__` object; transformers expects `format: pt` in it.
  /// - Throws: `StoreError` for the file, `WeightError` for a tensor whose values do not fit its
  ///   shape, and what a provider throws.
  public static func write(
    _ tensors: [Tensor], metadata: [String: String] = ["format": "pt"], to path: String
  ) throws {
    let header = try header(tensors, metadata: metadata, path: path)
    try AtomicFile.writeBytes(to: path, doing: "writing the weights") { sink in
      var length = UInt64(header.count).littleEndian
      try withUnsafeBytes(of: &length) { try sink.write($0) }
      try header.withUnsafeBytes { try sink.write($0) }
      for tensor in tensors {
        try tensor.lend { values in
          guard values.count == tensor.count else {
            throw WeightError(
              path, .size(tensor: tensor.name, expected: tensor.count, found: values.count))
          }
          try write(values, as: tensor.type, to: sink)
        }
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
      guard [.f32, .f16, .bf16].contains(tensor.type), let dtype = tensor.type.safetensorsName,
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

  private static func write(
    _ values: UnsafeBufferPointer<Float>, as type: WeightType, to sink: ByteSink
  ) throws {
    if type == .f32 { return try sink.write(UnsafeRawBufferPointer(values)) }
    let chunk = 1 << 16
    try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: chunk) { staging in
      var start = 0
      while start < values.count {
        let count = min(chunk, values.count - start)
        var i = 0
        while i < count {
          let value = values[start + i]
          staging[i] = type == .f16 ? HalfFloat.f16(value) : HalfFloat.bf16(value)
          i += 1
        }
        let bytes = UnsafeRawBufferPointer(staging)
        try sink.write(UnsafeRawBufferPointer(rebasing: bytes[..<(2 * count)]))
        start += count
      }
    }
  }
}
