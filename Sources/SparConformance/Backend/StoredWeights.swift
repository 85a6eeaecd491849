import CSparPlugin
import SparTensor

/// Weights in ggml's blocks of 32, written and read plainly: `Operand` keeps them so.
enum StoredWeights {
  /// What a file holds of weights; f32 besides.
  static let types: [DType] = [.f16, .bf16, .q8_0, .q4_0, .q4_1]

  /// 32 values as one block: scales from the largest magnitude (or the range), rounded quants.
  static func encode(_ values: [Double], _ type: DType) -> [UInt8] {
    let (least, most) = (values.min() ?? 0, values.max() ?? 0)
    let top = max(abs(least), abs(most))
    switch type {
    case .q8_0:
      let d = Float16(top / 127)
      return bytes(d) + values.map { UInt8(bitPattern: Int8(quant($0, d, 0, -127...127))) }
    case .q4_0:
      let d = Float16(top / 7)
      return bytes(d) + nibbles(values.map { quant($0, d, 0, -8...7) + 8 })
    case .q4_1:
      let (d, m) = (Float16((most - least) / 15), Float16(least))
      return bytes(d) + bytes(m) + nibbles(values.map { quant($0, d, m, 0...15) })
    default: preconditionFailure("\(type) is not stored in blocks")
    }
  }

  /// The values of one block, with ggml's roundings.
  static func decode(_ block: UnsafeRawPointer, _ type: DType) -> [Double] {
    let d = half(block, 0)
    if type == .q8_0 {
      return (0..<32).map { Double(Float(block.load(fromByteOffset: 2 + $0, as: Int8.self)) * d) }
    }
    let start = type == .q4_1 ? 4 : 2
    return (0..<32).map { i in
      let byte = block.load(fromByteOffset: start + i % 16, as: UInt8.self)
      let nibble = Int(i < 16 ? byte & 15 : byte >> 4)
      if type == .q4_0 { return Double(Float(nibble - 8) * d) }
      let scaled = Float(nibble) * d
      return Double(scaled + half(block, 2))
    }
  }

  private static func quant(
    _ value: Double, _ d: Float16, _ m: Float16, _ range: ClosedRange<Int>
  ) -> Int {
    guard d != 0 else { return min(max(0, range.lowerBound), range.upperBound) }
    let rounded = ((value - Double(m)) / Double(d)).rounded()
    return min(max(Int(rounded), range.lowerBound), range.upperBound)
  }

  private static func bytes(_ value: Float16) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value.bitPattern), UInt8(value.bitPattern >> 8)]
  }

  private static func nibbles(_ values: [Int]) -> [UInt8] {
    (0..<16).map { UInt8(values[$0] | values[$0 + 16] << 4) }
  }

  private static func half(_ block: UnsafeRawPointer, _ offset: Int) -> Float {
    Float(
      Float16(bitPattern: block.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
  }
}
