/// f32 to stored bytes.
///
/// Rounding is to nearest, ties to even, for f16 and bf16. The quantised types round as ggml's
/// reference quantisers do (`quantize_row_q8_0_ref`, `quantize_row_q4_0_ref`) and equal the Python
/// package gguf byte by byte.
extension WeightType {
  /// Types that `encode` knows.
  public static let writable: [WeightType] = [.f32, .f16, .bf16, .q8_0, .q4_0]

  /// Encodes `count` values, whole blocks of them.
  ///
  /// - Parameter target: room for `byteCount(of: count)` bytes, any alignment.
  /// - Returns: false when a quantised type meets a value that it cannot hold: NaN, infinity, or a
  ///   scale beyond f16.
  func encode(
    _ x: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer
  ) -> Bool {
    switch self {
    case .f32: target.copyMemory(from: x, byteCount: 4 * count)
    case .f16: halves(x, count, target) { HalfFloat.f16($0) }
    case .bf16: halves(x, count, target) { HalfFloat.bf16($0) }
    case .q8_0: return quantize(x, count, target, BlockQuantizer.q8_0)
    case .q4_0: return quantize(x, count, target, BlockQuantizer.q4_0)
    default: preconditionFailure("\(self) is not written")
    }
    return true
  }

  @inline(__always)
  private func halves(
    _ x: UnsafePointer<Float>, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ bits: (Float) -> UInt16
  ) {
    var i = 0
    while i < count {
      target.storeBytes(of: bits(x[i]), toByteOffset: 2 &* i, as: UInt16.self)
      i &+= 1
    }
  }

  @inline(__always)
  private func quantize(
    _ x: UnsafePointer<Float>, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ block: (UnsafePointer<Float>, UnsafeMutableRawPointer) -> Bool
  ) -> Bool {
    let (values, bytes) = (blockSize, bytesPerBlock)
    var (from, to) = (x, target)
    var left = count / values
    while left > 0 {
      guard block(from, to) else { return false }
      from += values
      to += bytes
      left &-= 1
    }
    return true
  }
}

/// 32 values to one block; false when they have no scale.
// swift-format-ignore: AlwaysUseLowerCamelCase
enum BlockQuantizer {
  /// d = max |x| / 127 and x/d rounded to nearest, ties away from zero.
  @inline(__always)
  static func q8_0(_ x: UnsafePointer<Float>, _ out: UnsafeMutableRawPointer) -> Bool {
    var largest: UInt32 = 0  // the bits of |x| order as the values do
    var j = 0
    while j < 32 {
      largest = max(largest, x[j].bitPattern & 0x7FFF_FFFF)
      j &+= 1
    }
    let d = Float(bitPattern: largest) / 127
    guard largest < 0x7F80_0000, d < 65520 else { return false }
    out.storeBytes(of: HalfFloat.f16(d), as: UInt16.self)
    let inverse = usable(1 / d)
    let q = (out + 2).assumingMemoryBound(to: Int8.self)
    j = 0
    while j < 32 {
      let scaled = x[j] * inverse
      let size = scaled.magnitude
      let whole = Int32(size)
      let rounded = whole &+ (size - Float(whole) >= 0.5 ? 1 : 0)
      q[j] = Int8(truncatingIfNeeded: scaled < 0 ? 0 &- rounded : rounded)
      j &+= 1
    }
    return true
  }

  /// d = m / −8 for the m of largest magnitude, the first of equals; x/d + 8.5 cut off, at most 15.
  @inline(__always)
  static func q4_0(_ x: UnsafePointer<Float>, _ out: UnsafeMutableRawPointer) -> Bool {
    var largest: UInt32 = 0
    var extreme: Float = 0
    var j = 0
    while j < 32 {
      let magnitude = x[j].bitPattern & 0x7FFF_FFFF
      if magnitude > largest {
        largest = magnitude
        extreme = x[j]
      }
      j &+= 1
    }
    let d = extreme / -8
    guard largest < 0x7F80_0000, d.magnitude < 65520 else { return false }
    out.storeBytes(of: HalfFloat.f16(d), as: UInt16.self)
    let inverse = usable(1 / d)
    let q = (out + 2).assumingMemoryBound(to: UInt8.self)
    j = 0
    while j < 16 {
      let low = min(15, Int32(x[j] * inverse + 8.5))
      let high = min(15, Int32(x[j &+ 16] * inverse + 8.5))
      q[j] = UInt8(truncatingIfNeeded: low | high &<< 4)
      j &+= 1
    }
    return true
  }

  /// 1/d, or 0 where d is 0 or so small that its inverse overflows (and d is 0 as f16).
  @inline(__always)
  private static func usable(_ inverse: Float) -> Float { inverse.isFinite ? inverse : 0 }
}
