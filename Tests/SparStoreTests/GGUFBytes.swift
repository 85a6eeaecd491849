/// Builds GGUF files for tests.
struct GGUFBytes {
  struct Tensor {
    var name: String
    var shape: [Int]  // row-major
    var type: UInt32
    var bytes: [UInt8]

    init(name: String, shape: [Int], type: UInt32, bytes: [UInt8]) {
      self.name = name
      self.shape = shape
      self.type = type
      self.bytes = bytes
    }

    init(_ name: String, _ shape: [Int], _ values: [Float]) {
      self.init(
        name: name, shape: shape, type: 0,
        bytes: values.flatMap { littleEndian($0.bitPattern) })
    }
  }
  var version: UInt32 = 3
  /// Keys with their type numbers and encoded values.
  var metadata: [(String, UInt32, [UInt8])] = []
  var tensors: [Tensor] = []

  mutating func set(_ key: String, _ value: String) {
    metadata.append((key, 8, Self.string(value)))
  }

  mutating func set(_ key: String, _ value: UInt32) {
    metadata.append((key, 4, littleEndian(value)))
  }

  mutating func set(_ key: String, float value: Float) {
    metadata.append((key, 6, littleEndian(value.bitPattern)))
  }

  mutating func set(_ key: String, _ values: [String]) {
    metadata.append(
      (
        key, 9,
        littleEndian(UInt32(8)) + littleEndian(UInt64(values.count)) + values.flatMap(Self.string)
      ))
  }

  static func string(_ text: String) -> [UInt8] {
    littleEndian(UInt64(text.utf8.count)) + Array(text.utf8)
  }

  var bytes: [UInt8] {
    var out = Array("GGUF".utf8) + littleEndian(version)
    out += littleEndian(UInt64(tensors.count)) + littleEndian(UInt64(metadata.count))
    for (key, type, value) in metadata { out += Self.string(key) + littleEndian(type) + value }
    var offset = 0
    for tensor in tensors {
      out += Self.string(tensor.name) + littleEndian(UInt32(tensor.shape.count))
      for extent in tensor.shape.reversed() { out += littleEndian(UInt64(extent)) }
      out += littleEndian(tensor.type) + littleEndian(UInt64(offset))
      offset += (tensor.bytes.count + 31) / 32 * 32
    }
    func pad() { out += [UInt8](repeating: 0, count: (32 - out.count % 32) % 32) }
    for tensor in tensors {
      pad()
      out += tensor.bytes
    }
    return out
  }
}
