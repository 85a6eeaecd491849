/// Stored bytes to f32.
///
/// De-quantisation is ggml's, in f32 arithmetic: `d * q`, or `d * q + m` with two roundings, so the
/// values equal those of `ggml-quants.c` and of the Python package gguf bit by bit. Loops are
/// `while` over raw pointers: as fast as `for` when optimised, ten times faster in a debug build.
extension WeightType {
  /// Types that `decode` knows.
  static var readable: [WeightType] { allCases.filter { $0 != .unknown } }

  /// Decodes `count` values.
  ///
  /// - Parameters:
  ///   - source: `byteCount(of: count)` bytes, any alignment.
  ///   - destination: `count` values.
  func decode(
    _ source: UnsafeRawPointer, count: Int, into destination: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .f32:
      UnsafeMutableRawPointer(destination).copyMemory(from: source, byteCount: 4 * count)
    case .f16: convert(source, count, destination) { HalfFloat.float(f16: $0) }
    case .bf16: convert(source, count, destination) { HalfFloat.float(bf16: $0) }
    case .f64: convert(source, count, destination) { (x: Double) in Float(x) }
    case .i64: convert(source, count, destination) { (x: Int64) in Float(x) }
    case .i32: convert(source, count, destination) { (x: Int32) in Float(x) }
    case .i16: convert(source, count, destination) { (x: Int16) in Float(x) }
    case .i8: convert(source, count, destination) { (x: Int8) in Float(x) }
    case .u64: convert(source, count, destination) { (x: UInt64) in Float(x) }
    case .u32: convert(source, count, destination) { (x: UInt32) in Float(x) }
    case .u16: convert(source, count, destination) { (x: UInt16) in Float(x) }
    case .u8: convert(source, count, destination) { (x: UInt8) in Float(x) }
    case .bool: convert(source, count, destination) { (x: UInt8) in x == 0 ? 0 : 1 }
    case .q4_0: blocks(source, count, destination, QuantizedBlock.q4_0)
    case .q4_1: blocks(source, count, destination, QuantizedBlock.q4_1)
    case .q5_0: blocks(source, count, destination, QuantizedBlock.q5_0)
    case .q5_1: blocks(source, count, destination, QuantizedBlock.q5_1)
    case .q8_0: blocks(source, count, destination, QuantizedBlock.q8_0)
    case .q2_K: blocks(source, count, destination, QuantizedBlock.q2_K)
    case .q3_K: blocks(source, count, destination, QuantizedBlock.q3_K)
    case .q4_K: blocks(source, count, destination, QuantizedBlock.q4_K)
    case .q5_K: blocks(source, count, destination, QuantizedBlock.q5_K)
    case .q6_K: blocks(source, count, destination, QuantizedBlock.q6_K)
    case .iq4_nl: blocks(source, count, destination, QuantizedBlock.iq4_nl)
    case .iq4_xs: blocks(source, count, destination, QuantizedBlock.iq4_xs)
    case .unknown: preconditionFailure("tensors of unknown type are refused before decoding")
    }
  }

  @inline(__always)
  private func convert<Element: BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ count: Int, _ y: UnsafeMutablePointer<Float>,
    _ value: (Element) -> Float
  ) {
    var i = 0
    while i < count {
      y[i] = value(
        source.loadUnaligned(fromByteOffset: i &* MemoryLayout<Element>.size, as: Element.self))
      i &+= 1
    }
  }

  @inline(__always)
  private func blocks(
    _ source: UnsafeRawPointer, _ count: Int, _ y: UnsafeMutablePointer<Float>,
    _ block: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
  ) {
    let (values, bytes) = (blockSize, bytesPerBlock)
    var (from, to) = (source, y)
    var left = count / values
    while left > 0 {
      block(from, to)
      from += bytes
      to += values
      left &-= 1
    }
  }
}
