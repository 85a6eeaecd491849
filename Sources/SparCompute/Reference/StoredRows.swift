import CSparPlugin

/// A matrix of weights as the ABI gives it: f32, 16-bit floats, or ggml's blocks of 32.
///
/// `decode` is the plain twin of the kernels' decoding.  Arithmetic as in ggml's
/// `dequantize_row_*`: d q, or d q + m with two roundings.
struct StoredRows {
  private let base: UnsafeRawPointer
  let dtype: Int32
  let count: Int
  let width: Int
  /// Weights from row to row.
  let stride: Int

  init(_ tensor: UnsafePointer<spar_tensor>?) throws(ReferenceGap) {
    guard let tensor else { throw ReferenceGap(what: "a missing tensor") }
    if tensor.pointee.dtype == Int32(SPAR_F32) {
      let rows = try Rows(tensor)
      (base, dtype) = (UnsafeRawPointer(rows.base), Int32(SPAR_F32))
      (count, width, stride) = (rows.count, rows.width, rows.stride)
      return
    }
    let view = tensor.pointee
    let stored = [SPAR_F16, SPAR_BF16, SPAR_Q8_0, SPAR_Q4_0, SPAR_Q4_1]
    guard stored.contains(Int(view.dtype)), view.rank == 2, let data = view.data else {
      throw ReferenceGap(
        what: "element type \(view.dtype) of rank \(view.rank) (f32, or a matrix of f16, bf16, "
          + "q8_0, q4_0, q4_1 in host memory is needed)")
    }
    let block = spar_dtype_block(view.dtype)
    guard view.shape.1 % block == 0, view.stride.0 % block == 0 else {
      throw ReferenceGap(
        what: "rows that are no whole blocks", status: spar_status(SPAR_E_INVALID))
    }
    base = UnsafeRawPointer(data)
    dtype = view.dtype
    count = Int(view.shape.0)
    width = Int(view.shape.1)
    stride = Int(view.stride.0)
  }

  var isFloat: Bool { dtype == Int32(SPAR_F32) }

  func address(_ row: Int) -> UnsafeRawPointer {
    base + Int(spar_dtype_bytes(dtype, Int64(row * stride)))
  }

  /// Row `row` where it lies; of f32 only.
  func floats(_ row: Int) -> UnsafeMutablePointer<Float> {
    precondition(isFloat, "rows of type \(dtype) are no floats")
    return UnsafeMutableRawPointer(mutating: address(row)).assumingMemoryBound(to: Float.self)
  }

  /// `width` floats.
  func decode(_ row: Int, into y: UnsafeMutablePointer<Float>) {
    let x = address(row)
    switch Int(dtype) {
    case SPAR_F32: y.update(from: floats(row), count: width)
    case SPAR_F16: for i in 0..<width { y[i] = Self.half(x, 2 * i) }
    case SPAR_BF16:
      for i in 0..<width {
        y[i] = Float(bitPattern: UInt32(Self.bits(x, 2 * i)) << 16)
      }
    default:
      let bytes = Int(spar_dtype_bytes(dtype, 32))
      for block in 0..<width / 32 { decodeBlock(x + block * bytes, into: y + 32 * block) }
    }
  }

  private func decodeBlock(_ x: UnsafeRawPointer, into y: UnsafeMutablePointer<Float>) {
    let d = Self.half(x, 0)
    if Int(dtype) == SPAR_Q8_0 {
      for i in 0..<32 { y[i] = Float(x.load(fromByteOffset: 2 + i, as: Int8.self)) * d }
      return
    }
    let hasMinimum = Int(dtype) == SPAR_Q4_1
    for i in 0..<16 {
      let byte = x.load(fromByteOffset: (hasMinimum ? 4 : 2) + i, as: UInt8.self)
      for (at, nibble) in [(i, Int(byte & 15)), (16 + i, Int(byte >> 4))] {
        let scaled = Float(hasMinimum ? nibble : nibble - 8) * d
        y[at] = hasMinimum ? scaled + Self.half(x, 2) : scaled
      }
    }
  }

  private static func bits(_ x: UnsafeRawPointer, _ offset: Int) -> UInt16 {
    UInt16(littleEndian: x.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  private static func half(_ x: UnsafeRawPointer, _ offset: Int) -> Float {
    let word = bits(x, offset)
    let (exponent, mantissa) = (Int(word >> 10 & 31), Float(word & 1023))
    let magnitude: Float
    switch exponent {
    case 0: magnitude = mantissa * 0x1p-24
    case 31: magnitude = mantissa == 0 ? .infinity : .nan
    default:
      magnitude = Float(
        sign: .plus, exponent: exponent - 15, significand: 1 + mantissa / 1024)
    }
    return word >> 15 == 0 ? magnitude : -magnitude
  }
}

/// A matrix of weights in f32: where it lies, or expanded as a whole.
struct ExpandedRows {
  let rows: Rows
  private let memory: FloatMemory?

  init(_ tensor: UnsafePointer<spar_tensor>?) throws(ReferenceGap) {
    let stored = try StoredRows(tensor)
    guard !stored.isFloat else {
      rows = try Rows(tensor)
      memory = nil
      return
    }
    let memory = FloatMemory(stored.count * stored.width)
    for row in 0..<stored.count {
      stored.decode(row, into: memory.base + row * stored.width)
    }
    rows = Rows(base: memory.base, count: stored.count, width: stored.width)
    self.memory = memory
  }

  /// The rows are valid up to here.
  func keep() { withExtendedLifetime(memory) {} }
}

private final class FloatMemory {
  let base: UnsafeMutablePointer<Float>
  init(_ count: Int) { base = .allocate(capacity: max(count, 1)) }
  deinit { base.deallocate() }
}
