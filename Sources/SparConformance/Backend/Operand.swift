import CSparPlugin
import Glibc
import SparTensor

/// One tensor of an operation, before it has memory.
struct OperandSpec {
  enum Role {
    case input
    /// Written whole: filled with NaN before the call.
    case output
    /// Read and written.
    case update
  }
  var name: String
  var role: Role
  var shape: [Int]
  /// Row-major; for an output only its count matters.
  var values: [Double]
  var dtype: DType = .f32
  /// Elements between the rows of the first axis that belong to nobody.
  var pad = 0
  /// An input whose first axis has stride 0: all rows are the first.
  var broadcast = false

  static func input(
    _ name: String, _ shape: [Int], _ values: [Double], pad: Int = 0, dtype: DType = .f32
  ) -> OperandSpec {
    OperandSpec(name: name, role: .input, shape: shape, values: values, dtype: dtype, pad: pad)
  }

  static func output(
    _ name: String, _ shape: [Int], pad: Int = 0, dtype: DType = .f32
  ) -> OperandSpec {
    OperandSpec(
      name: name, role: .output, shape: shape,
      values: .init(repeating: .nan, count: shape.reduce(1, *)), dtype: dtype, pad: pad)
  }

  static func update(
    _ name: String, _ shape: [Int], _ values: [Double], pad: Int = 0, dtype: DType = .f32
  ) -> OperandSpec {
    OperandSpec(name: name, role: .update, shape: shape, values: values, dtype: dtype, pad: pad)
  }
}

/// A tensor in memory whose surroundings are watched.
///
/// Inputs end at a page that nobody may touch; around what is written, and between its rows, stand
/// canaries.
final class Operand {
  let spec: OperandSpec
  let tensor: UnsafeMutablePointer<spar_tensor>
  private let memory: UnsafeMutableRawPointer
  private let bytes: Int
  private let start: Int
  private let rowStride: Int
  private static let zone = 256
  private static let canary: UInt8 = 0xCA

  init(_ spec: OperandSpec, _ arena: GuardedArena) {
    self.spec = spec
    let width = spec.shape.dropFirst().reduce(1, *)
    let isMatrix = spec.shape.count > 1
    let rows = isMatrix ? spec.shape[0] : 1
    let inner = isMatrix ? width : spec.shape[0]
    rowStride = spec.broadcast ? 0 : inner + spec.pad
    let elements = rows == 0 ? 0 : (rows - 1) * rowStride + inner
    let isInput = spec.role == .input
    start = isInput ? 0 : Self.zone
    bytes = spec.dtype.bytes(elements) + (isInput ? 0 : 2 * Self.zone)
    memory = arena.bytes(bytes)
    memset(memory, Int32(Self.canary), bytes)
    var view = spar_tensor()
    view.data = memory + start
    view.dtype = spec.dtype.rawValue
    view.rank = Int32(spec.shape.count)
    var strides = [Int](repeating: 1, count: spec.shape.count)
    for axis in stride(from: spec.shape.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * spec.shape[axis + 1]
    }
    if isMatrix { strides[0] = rowStride }
    withUnsafeMutableBytes(of: &view.shape) { raw in
      let out = raw.assumingMemoryBound(to: Int64.self)
      for (axis, extent) in spec.shape.enumerated() { out[axis] = Int64(extent) }
    }
    withUnsafeMutableBytes(of: &view.stride) { raw in
      let out = raw.assumingMemoryBound(to: Int64.self)
      for (axis, step) in strides.enumerated() { out[axis] = Int64(step) }
    }
    tensor = arena.copy([view])
    if spec.dtype.block > 1 {
      storeBlocks()
    } else {
      for row in 0..<rows {
        for column in 0..<inner {
          store(spec.values[spec.broadcast ? column : row * inner + column], at: row, column)
        }
      }
    }
  }

  private var inner: Int {
    spec.shape.count > 1 ? spec.shape.dropFirst().reduce(1, *) : spec.shape[0]
  }
  private var rows: Int { spec.shape.count > 1 ? spec.shape[0] : 1 }

  private func place(_ row: Int, _ column: Int) -> UnsafeMutableRawPointer {
    memory + start + spec.dtype.bytes(row * rowStride + column)
  }

  private func storeBlocks() {
    for row in 0..<rows {
      for column in stride(from: 0, to: inner, by: 32) {
        let at = row * inner + column
        place(row, column).copyMemory(
          from: StoredWeights.encode(Array(spec.values[at..<at + 32]), spec.dtype),
          byteCount: spec.dtype.bytes(32))
      }
    }
  }

  private func store(_ value: Double, at row: Int, _ column: Int) {
    let place = place(row, column)
    switch spec.dtype {
    case .f32: place.storeBytes(of: Float(value), as: Float.self)
    case .f64: place.storeBytes(of: value, as: Double.self)
    case .f16: place.storeBytes(of: Float16(value), as: Float16.self)
    case .bf16: place.storeBytes(of: brainFloat(Float(value)), as: UInt16.self)
    default: preconditionFailure("no test uses \(spec.dtype)")
    }
  }

  /// Row-major, as stored: rounded to the operand's type.
  var values: [Double] {
    if spec.dtype.block > 1 {
      return (0..<rows).flatMap { row in
        (0..<inner / 32).flatMap { StoredWeights.decode(place(row, 32 * $0), spec.dtype) }
      }
    }
    return (0..<rows).flatMap { row in
      (0..<inner).map { column -> Double in
        let place = place(row, column)
        switch spec.dtype {
        case .f32: return Double(place.loadUnaligned(as: Float.self))
        case .f64: return place.loadUnaligned(as: Double.self)
        case .f16: return Double(place.loadUnaligned(as: Float16.self))
        case .bf16:
          return Double(Float(bitPattern: UInt32(place.loadUnaligned(as: UInt16.self)) << 16))
        default: preconditionFailure("no test uses \(spec.dtype)")
        }
      }
    }
  }

  /// All bytes, surroundings included.
  var image: [UInt8] { Array(UnsafeRawBufferPointer(start: memory, count: bytes)) }

  /// Where something was written that belongs to nobody; nil when nothing was.
  var trespass: String? {
    guard spec.role != .input else { return nil }
    let image = image
    let size = spec.dtype.bytes(1)
    if let at = image[..<start].lastIndex(where: { $0 != Self.canary }) {
      return "\(start - at) bytes before \(spec.name)"
    }
    let end = image.count - Self.zone
    if let at = image[end...].firstIndex(where: { $0 != Self.canary }) {
      return at == end
        ? "right behind the end of \(spec.name)"
        : "\(at - end) bytes behind the end of \(spec.name)"
    }
    guard spec.pad > 0, rows > 1 else { return nil }
    for row in 0..<rows - 1 {
      let gap = start + (row * rowStride + inner) * size
      if image[gap..<gap + spec.pad * size].contains(where: { $0 != Self.canary }) {
        return "the gap between rows \(row) and \(row + 1) of \(spec.name)"
      }
    }
    return nil
  }

  /// "c[3][17]" for element 3 * width + 17.
  func nameOf(_ index: Int) -> String {
    var rest = index
    var parts: [String] = []
    for extent in spec.shape.reversed() {
      parts.insert("[\(rest % max(extent, 1))]", at: 0)
      rest /= max(extent, 1)
    }
    return spec.name + parts.joined()
  }
}

/// The nearest bfloat16, ties to even.
private func brainFloat(_ value: Float) -> UInt16 {
  guard !value.isNaN else { return 0x7FC0 }
  let bits = value.bitPattern
  return UInt16(truncatingIfNeeded: (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
}
