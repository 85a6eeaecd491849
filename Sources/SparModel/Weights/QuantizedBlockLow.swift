/// The blocks of fewer bits, and those whose numbers are looked up. `x` is the block, `y` its
/// values. Source: ggml, `ggml-quants.c`, `dequantize_row_*`.
// swift-format-ignore: AlwaysUseLowerCamelCase
extension QuantizedBlock {
  /// 16 bytes of (scale, minimum) nibbles, 64 bytes of bit pairs, d, dmin; 16 groups of 16:
  /// d·scale·q − dmin·minimum. Each half of 128 values has its bit pairs in 32 bytes.
  static func q2_K(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let (d, least) = (half(x, 80), half(x, 82))
    let scales = x.assumingMemoryBound(to: UInt8.self)
    var group = 0
    while group < 16 {
      let q = (x + 16 + 32 &* (group / 8) + 16 &* (group & 1)).assumingMemoryBound(to: UInt8.self)
      let shift = UInt8(truncatingIfNeeded: group & 6)
      let scale = d * Float(Int32(truncatingIfNeeded: scales[group] & 0x0F))
      let minimum = least * Float(Int32(truncatingIfNeeded: scales[group] &>> 4))
      let out = y + 16 &* group
      var j = 0
      while j < 16 {
        out[j] = scale * Float(Int32(truncatingIfNeeded: (q[j] &>> shift) & 3)) - minimum
        j &+= 1
      }
      group &+= 1
    }
  }

  /// 32 bytes of third bits, 64 bytes of bit pairs, 16 six-bit scales in 12 bytes, d; 16 groups of
  /// 16: d·(scale − 32)·q, where q is the bit pair, less 4 where the third bit is 0.
  static func q3_K(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let d = half(x, 108)
    let packed = (x + 96).assumingMemoryBound(to: UInt8.self)
    var group = 0
    while group < 16 {
      let q = (x + 32 + 32 &* (group / 8) + 16 &* (group & 1)).assumingMemoryBound(to: UInt8.self)
      let third = (x + 16 &* (group & 1)).assumingMemoryBound(to: UInt8.self)
      let shift = UInt8(truncatingIfNeeded: group & 6)
      let bit = UInt8(truncatingIfNeeded: group / 2)
      // Low nibbles in bytes 0…7, upper two bits in bytes 8…11, four scales to a byte.
      let low = (packed[group & 7] &>> (group < 8 ? 0 : 4)) & 0x0F
      let high = (packed[8 &+ group & 3] &>> UInt8(truncatingIfNeeded: 2 &* (group / 4))) & 3
      let scale = d * Float(Int32(truncatingIfNeeded: low | high &<< 4) &- 32)
      let out = y + 16 &* group
      var j = 0
      while j < 16 {
        let pair = Int32(truncatingIfNeeded: (q[j] &>> shift) & 3)
        let offset = Int32(truncatingIfNeeded: ((third[j] &>> bit) & 1) ^ 1) &<< 2
        out[j] = scale * Float(pair &- offset)
        j &+= 1
      }
      group &+= 1
    }
  }

  /// d, 16 bytes of nibbles: d·level(q).
  static func iq4_nl(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    levels(x + 2, scale: half(x, 0), y)
  }

  /// d, 8 six-bit scales (upper two bits in 2 bytes, low nibbles in 4), 128 bytes of nibbles; 8
  /// groups of 32: d·(scale − 32)·level(q).
  static func iq4_xs(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let d = half(x, 0)
    let high = UInt16(littleEndian: x.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    let low = (x + 4).assumingMemoryBound(to: UInt8.self)
    var group = 0
    while group < 8 {
      let nibble = Int32(
        truncatingIfNeeded: (low[group / 2] &>> UInt8(truncatingIfNeeded: 4 &* (group & 1))) & 15)
      let top = Int32(
        truncatingIfNeeded: (high &>> UInt16(truncatingIfNeeded: 2 &* group)) & 3)
      levels(
        x + 8 + 16 &* group, scale: d * Float((nibble | top &<< 4) &- 32), y + 32 &* group)
      group &+= 1
    }
  }

  /// 32 values from 16 bytes of nibbles that number the levels.
  @inline(__always)
  private static func levels(
    _ x: UnsafeRawPointer, scale: Float, _ y: UnsafeMutablePointer<Float>
  ) {
    let q = x.assumingMemoryBound(to: UInt8.self)
    var j = 0
    while j < 16 {
      y[j] = scale * level(q[j] & 0x0F)
      y[j &+ 16] = scale * level(q[j] &>> 4)
      j &+= 1
    }
  }

  /// −127 −104 −83 −65 −49 −35 −22 −10 1 13 25 38 53 69 89 113, a byte each.
  @inline(__always)
  private static func level(_ number: UInt8) -> Float {
    let bytes: UInt64 = number < 8 ? 0xF6EA_DDCF_BFAD_9881 : 0x7159_4535_2619_0D01
    let shift = UInt64(truncatingIfNeeded: 8 &* (number & 7))
    return Float(Int32(Int8(truncatingIfNeeded: bytes &>> shift)))
  }
}
