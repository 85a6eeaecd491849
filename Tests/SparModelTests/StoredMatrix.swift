import SparCompute
import SparTensor

/// What a file holds of weights, f32 aside.
let storedTypes: [DType] = [.f16, .bf16, .q8_0, .q4_0, .q4_1]

/// Random weights as a file holds them, at an odd address (f32: at a multiple of 4).
final class StoredMatrix {
  private let memory: UnsafeMutableRawBufferPointer
  private let type: DType
  private let shape: [Int]
  private let offset: Int

  init(_ type: DType, _ rows: Int, _ columns: Int, seed: UInt64 = 5) {
    self.type = type
    shape = [rows, columns]
    let bytes = type.bytes(rows * columns)
    offset = type == .f32 ? 4 : 1
    memory = .allocate(byteCount: bytes + offset, alignment: 64)
    var random = Random(seed: seed, stage: .initialise, item: Int(type.rawValue))
    let block = type.bytes(type.block)
    for start in stride(from: offset, to: offset + bytes, by: block) {
      if type == .f32 {
        let value = Float(random.uniform() - 0.5)
        memory.storeBytes(of: value, toByteOffset: start, as: Float.self)
        continue
      }
      for i in 0..<block { memory[start + i] = UInt8(truncatingIfNeeded: random.next()) }
      // Scales, minima and 16-bit weights: moderate numbers.
      let halves = type.block == 1 ? 1 : type == .q4_1 ? 2 : 1
      for half in 0..<halves {
        let size = type.block == 1 ? 1.0 : 0.05
        let value = Float((random.uniform() * 2 - 1) * size)
        let bits =
          type == .bf16
          ? UInt16(truncatingIfNeeded: value.bitPattern >> 16) : Float16(value).bitPattern
        memory.storeBytes(of: bits, toByteOffset: start + 2 * half, as: UInt16.self)
      }
    }
  }

  deinit { memory.deallocate() }

  var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[offset...]) }

  /// On the memory as it is.
  var stored: Tensor { Tensor(mapped: raw, dtype: type, shape: shape, owner: self) }

  /// The same weights in f32, by the plain twin.
  func expanded(_ backend: Backend) throws -> Tensor {
    let plain = Backend.reference()
    let values = plain.tensor(shape)
    try plain.embed((0..<Int32(shape[0])).map { $0 }, table: stored, into: values)
    let copy = backend.tensor(shape, use: .weights)
    copy.floats.update(from: values.floats, count: values.count)
    return copy
  }
}

func randomTensor(_ shape: [Int], _ item: Int) -> Tensor {
  var random = Random(seed: 12, stage: .initialise, item: item)
  let values = (0..<shape.reduce(1, *)).map { _ in Float(random.uniform() * 2 - 1) }
  return Tensor(values, shape: shape, pool: Backend.reference().pool)
}
