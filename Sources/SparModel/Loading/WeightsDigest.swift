import SparTensor
import Synchronization

/// A 128-bit identity of named tensors, of their values in f32: the same weights give the same
/// digest whatever file they came from and however they stay in memory.  Not cryptographic: it
/// tells files apart, it does not stop forgers.
struct WeightsDigest {
  private var lanes: SIMD4<UInt64> = [
    0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB, 0xD6E8_FEB8_6659_FD93,
  ]

  mutating func add(_ name: String, _ values: UnsafeBufferPointer<Float>) {
    for byte in name.utf8 { mix(SIMD4(repeating: UInt64(byte))) }
    add(values)
  }

  /// The next of a tensor's values; a multiple of 8 of them, but for the last.
  private mutating func add(_ values: UnsafeBufferPointer<Float>) {
    let bytes = UnsafeRawBufferPointer(values)
    let whole = bytes.count / 32 * 32
    for offset in stride(from: 0, to: whole, by: 32) {
      mix(bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self))
    }
    for offset in whole..<bytes.count { mix(SIMD4(repeating: UInt64(bytes[offset]))) }
  }

  /// A tensor as its file stores it, decoded 256 KiB at a time.
  mutating func add(_ name: String, stored bytes: UnsafeRawBufferPointer, _ type: WeightType) {
    for byte in name.utf8 { mix(SIMD4(repeating: UInt64(byte))) }
    guard let base = bytes.baseAddress else { return }
    let blocks = bytes.count / type.bytesPerBlock
    let step = max(8, 65536 / type.blockSize)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: step * type.blockSize) { room in
      guard let values = room.baseAddress else { return }
      for block in stride(from: 0, to: blocks, by: step) {
        let count = min(step, blocks - block) * type.blockSize
        type.decode(base + block * type.bytesPerBlock, count: count, into: values)
        add(UnsafeBufferPointer(start: values, count: count))
      }
    }
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

/// A digest that is worked out when somebody first asks: it reads all weights of the file.
final class WeightsIdentity: Sendable {
  private enum State {
    case known(String)
    case unknown(@Sendable () -> String)
  }
  private let state: Mutex<State>

  init(_ digest: String) { state = Mutex(.known(digest)) }

  /// `compute` must not depend on weights that change.
  init(_ compute: @escaping @Sendable () -> String) { state = Mutex(.unknown(compute)) }

  var digest: String {
    state.withLock { state in
      switch state {
      case .known(let digest): return digest
      case .unknown(let compute):
        let digest = compute()
        state = .known(digest)
        return digest
      }
    }
  }
}
