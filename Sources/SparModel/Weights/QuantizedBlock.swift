/// One block of each of ggml's quantised types, to f32.
///
/// `x` is the block, `y` its values. Scales are f16; nibbles: the low ones are the first half of
/// the block, the high ones the second. Source: ggml, `ggml-quants.c`, `dequantize_row_*`.
// swift-format-ignore: AlwaysUseLowerCamelCase
enum QuantizedBlock {
  /// d, 16 bytes of nibbles: d·(q − 8).
  @inline(__always)
  static func q4_0(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let d = half(x, 0)
    let q = (x + 2).assumingMemoryBound(to: UInt8.self)
    var j = 0
    while j < 16 {
      y[j] = Float(Int32(truncatingIfNeeded: q[j] & 0x0F) &- 8) * d
      y[j &+ 16] = Float(Int32(truncatingIfNeeded: q[j] &>> 4) &- 8) * d
      j &+= 1
    }
  }

  /// d, m, 16 bytes of nibbles: d·q + m.
  @inline(__always)
  static func q4_1(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let (d, m) = (half(x, 0), half(x, 2))
    let q = (x + 4).assumingMemoryBound(to: UInt8.self)
    var j = 0
    while j < 16 {
      y[j] = Float(Int32(truncatingIfNeeded: q[j] & 0x0F)) * d + m
      y[j &+ 16] = Float(Int32(truncatingIfNeeded: q[j] &>> 4)) * d + m
      j &+= 1
    }
  }

  /// d, 32 fifth bits, 16 bytes of nibbles: d·(q − 16).
  @inline(__always)
  static func q5_0(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let d = half(x, 0)
    let high = UInt32(littleEndian: x.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
    let q = (x + 6).assumingMemoryBound(to: UInt8.self)
    var j: UInt32 = 0
    while j < 16 {
      let byte = UInt32(truncatingIfNeeded: q[Int(j)])
      let low = (byte & 0x0F) | (((high &>> j) & 1) &<< 4)
      let top = (byte &>> 4) | (((high &>> (j &+ 16)) & 1) &<< 4)
      y[Int(j)] = Float(Int32(bitPattern: low) &- 16) * d
      y[Int(j) &+ 16] = Float(Int32(bitPattern: top) &- 16) * d
      j &+= 1
    }
  }

  /// d, m, 32 fifth bits, 16 bytes of nibbles: d·q + m.
  @inline(__always)
  static func q5_1(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let (d, m) = (half(x, 0), half(x, 2))
    let high = UInt32(littleEndian: x.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    let q = (x + 8).assumingMemoryBound(to: UInt8.self)
    var j: UInt32 = 0
    while j < 16 {
      let byte = UInt32(truncatingIfNeeded: q[Int(j)])
      let low = (byte & 0x0F) | (((high &>> j) & 1) &<< 4)
      let top = (byte &>> 4) | (((high &>> (j &+ 16)) & 1) &<< 4)
      y[Int(j)] = Float(Int32(bitPattern: low)) * d + m
      y[Int(j) &+ 16] = Float(Int32(bitPattern: top)) * d + m
      j &+= 1
    }
  }

  /// d, 32 signed bytes: d·q.
  @inline(__always)
  static func q8_0(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let d = half(x, 0)
    let q = (x + 2).assumingMemoryBound(to: Int8.self)
    var j = 0
    while j < 32 {
      y[j] = Float(Int32(truncatingIfNeeded: q[j])) * d
      j &+= 1
    }
  }

  /// d, dmin, 8 six-bit (scale, minimum) pairs in 12 bytes, 128 bytes of nibbles; 8 groups of 32.
  static func q4_K(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let q = (x + 16).assumingMemoryBound(to: UInt8.self)
    var group = 0
    while group < 8 {
      let (d, m) = scaleAndMinimum(x, group)
      let bytes = q + 32 &* (group / 2)
      let shift = UInt8(truncatingIfNeeded: 4 &* (group & 1))
      let out = y + 32 &* group
      var j = 0
      while j < 32 {
        out[j] = d * Float(Int32(truncatingIfNeeded: (bytes[j] &>> shift) & 0x0F)) - m
        j &+= 1
      }
      group &+= 1
    }
  }

  /// As `q4_K` with the fifth bits (bit `group` of 32 bytes) before the nibbles.
  static func q5_K(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let high = (x + 16).assumingMemoryBound(to: UInt8.self)
    let q = (x + 48).assumingMemoryBound(to: UInt8.self)
    var group = 0
    while group < 8 {
      let (d, m) = scaleAndMinimum(x, group)
      let bytes = q + 32 &* (group / 2)
      let shift = UInt8(truncatingIfNeeded: 4 &* (group & 1))
      let bit = UInt8(truncatingIfNeeded: group)
      let out = y + 32 &* group
      var j = 0
      while j < 32 {
        let value = ((bytes[j] &>> shift) & 0x0F) | (((high[j] &>> bit) & 1) &<< 4)
        out[j] = d * Float(Int32(truncatingIfNeeded: value)) - m
        j &+= 1
      }
      group &+= 1
    }
  }

  /// 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, d; 16 groups of 16:
  /// d·scale·(q − 32). Within each half of 128 values the nibbles and bit pairs interleave.
  static func q6_K(_ x: UnsafeRawPointer, _ y: UnsafeMutablePointer<Float>) {
    let d = half(x, 208)
    let scales = (x + 192).assumingMemoryBound(to: Int8.self)
    var group = 0
    while group < 8 {  // groups of 32 values: 4 in each half
      let (side, quarter) = (group / 4, group % 4)
      let low = (x + 64 &* side + 32 &* (quarter & 1)).assumingMemoryBound(to: UInt8.self)
      let high = (x + 128 + 32 &* side).assumingMemoryBound(to: UInt8.self)
      let lowShift = UInt8(truncatingIfNeeded: quarter < 2 ? 0 : 4)
      let highShift = UInt8(truncatingIfNeeded: 2 &* quarter)
      let out = y + 32 &* group
      var j = 0
      while j < 32 {
        let value = ((low[j] &>> lowShift) & 0x0F) | (((high[j] &>> highShift) & 3) &<< 4)
        let scale = d * Float(Int32(truncatingIfNeeded: scales[2 &* group &+ j / 16]))
        out[j] = scale * Float(Int32(truncatingIfNeeded: value) &- 32)
        j &+= 1
      }
      group &+= 1
    }
  }

  @inline(__always)
  static func half(_ x: UnsafeRawPointer, _ offset: Int) -> Float {
    HalfFloat.float(f16: x.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  /// Scale and minimum of group 0…7 of a K block. The first four pairs are the low six bits of
  /// bytes 0…7; the last four have their low nibbles in bytes 8…11 and their upper two bits on top
  /// of the first eight bytes.
  @inline(__always)
  private static func scaleAndMinimum(_ x: UnsafeRawPointer, _ group: Int) -> (Float, Float) {
    let s = (x + 4).assumingMemoryBound(to: UInt8.self)
    let scale: UInt8
    let minimum: UInt8
    if group < 4 {
      scale = s[group] & 63
      minimum = s[group &+ 4] & 63
    } else {
      scale = (s[group &+ 4] & 0x0F) | ((s[group &- 4] &>> 6) &<< 4)
      minimum = (s[group &+ 4] &>> 4) | ((s[group] &>> 6) &<< 4)
    }
    return (
      half(x, 0) * Float(Int32(truncatingIfNeeded: scale)),
      half(x, 2) * Float(Int32(truncatingIfNeeded: minimum))
    )
  }
}
