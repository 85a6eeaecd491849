/// Conversions between f32 and the 16-bit floats, on bit patterns.
///
/// Swift's `Float16` costs a library call per value on x86-64 without `-mf16c`; these are plain
/// integer and float operations that the compiler vectorises.
enum HalfFloat {
  /// f16 to f32, exact, including subnormals, infinities and NaN.
  ///
  /// Normal numbers: shift the exponent into place, then scale by 2^-112, which also turns the
  /// largest exponent into infinity or NaN. Subnormals: place the mantissa under the exponent of ½
  /// and subtract ½.
  @inline(__always)
  static func float(f16 bits: UInt16) -> Float {
    let word = UInt32(truncatingIfNeeded: bits) &<< 16
    let sign = word & 0x8000_0000
    let twice = word &+ word
    let normal = Float(bitPattern: (twice &>> 4) &+ (0xE0 &<< 23)) * 0x1p-112
    let subnormal = Float(bitPattern: (twice &>> 17) | (126 &<< 23)) - 0.5
    let magnitude = twice < (1 &<< 27) ? subnormal.bitPattern : normal.bitPattern
    return Float(bitPattern: sign | magnitude)
  }

  /// bf16 to f32, exact.
  @inline(__always)
  static func float(bf16 bits: UInt16) -> Float {
    Float(bitPattern: UInt32(truncatingIfNeeded: bits) &<< 16)
  }

  /// f32 to bf16, round to nearest, ties to even. NaN stays NaN.
  @inline(__always)
  static func bf16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if bits & 0x7FFF_FFFF > 0x7F80_0000 {  // a NaN whose low bits carry it must not become infinity
      return UInt16(truncatingIfNeeded: bits &>> 16) | 0x40
    }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) &>> 16)
  }

  /// f32 to f16, round to nearest, ties to even; beyond 65520 in magnitude is infinity.
  ///
  /// Adding a power of two whose last place is the wanted last place lets the adder do the
  /// rounding; the overflow of the scaled value past the largest f32 gives infinity.
  @inline(__always)
  static func f16(_ value: Float) -> UInt16 {
    let word = value.bitPattern
    let twice = word &+ word
    let sign = UInt16(truncatingIfNeeded: (word & 0x8000_0000) &>> 16)
    if twice > 0xFF00_0000 { return sign | 0x7E00 }
    let scaled = (value.magnitude * 0x1p+112) * 0x1p-110
    let bias = max(twice & 0xFF00_0000, 0x7100_0000)
    let rounded = (Float(bitPattern: (bias &>> 1) &+ 0x0780_0000) + scaled).bitPattern
    let exponent = (rounded &>> 13) & 0x7C00
    return sign | UInt16(truncatingIfNeeded: exponent &+ (rounded & 0x0FFF))
  }
}
