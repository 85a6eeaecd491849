/// A 128-bit identity of named f32 tensors: the same weights give the same digest whatever file
/// they came from.  Not cryptographic: it tells files apart, it does not stop forgers.
struct WeightsDigest {
  private var lanes: SIMD4<UInt64> = [
    0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB, 0xD6E8_FEB8_6659_FD93,
  ]

  mutating func add(_ name: String, _ values: UnsafeBufferPointer<Float>) {
    for byte in name.utf8 { mix(SIMD4(repeating: UInt64(byte))) }
    let bytes = UnsafeRawBufferPointer(values)
    let whole = bytes.count / 32 * 32
    for offset in stride(from: 0, to: whole, by: 32) {
      mix(bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self))
    }
    for offset in whole..<bytes.count { mix(SIMD4(repeating: UInt64(bytes[offset]))) }
  }

  private mutating func mix(_ word: SIMD4<UInt64>) {
    lanes = (lanes ^ word) &* SIMD4(repeating: 0xFF51_AFD7_ED55_8CCD)
    lanes = lanes ^ (lanes &>> 29)
  }

  var hex: String {
    [lanes[0] ^ (lanes[2] &* 31), lanes[1] ^ (lanes[3] &* 31)].map { word in
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }.joined()
  }
}
