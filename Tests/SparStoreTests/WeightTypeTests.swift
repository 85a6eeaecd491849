import SparModel
import SparStore
import Testing

@Suite("Weight types") struct WeightTypeTests {
  /// f16 by its definition, in double precision.
  private func value(f16 bits: UInt16) -> Double {
    let exponent = Int(bits >> 10) & 31
    let mantissa = Double(bits & 1023)
    let sign: Double = bits >> 15 == 0 ? 1 : -1
    if exponent == 31 { return mantissa == 0 ? sign * .infinity : .nan }
    if exponent == 0 { return sign * mantissa * 0x1p-24 }
    return sign * (1024 + mantissa) * Double(sign: .plus, exponent: exponent - 25, significand: 1)
  }

  /// Writes the values as `type` and gives the stored 16-bit patterns.
  private func stored(_ values: [Float], as type: WeightType) throws -> [UInt16] {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      [.init(name: "x", type: type, shape: [values.count], values: values)], to: folder["x"])
    let file = try SafetensorsFile(folder["x"])
    let bytes = try file.rawBytes("x")
    return (0..<values.count).map {
      UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
    }
  }

  @Test("all 65536 values of f16 are read exactly")
  func allHalves() throws {
    let folder = try TemporaryFolder()
    let header = #"{"x":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}"#
    var bytes = littleEndian(UInt64(header.utf8.count)) + Array(header.utf8)
    for bits in UInt16.min...UInt16.max { bytes += littleEndian(bits) }
    let read = try SafetensorsFile(folder.write("h", bytes)).floats("x")
    var wrong = 0
    for bits in UInt16.min...UInt16.max {
      let (expected, found) = (value(f16: bits), Double(read[Int(bits)]))
      if expected.isNaN ? !found.isNaN : expected != found || expected.sign != found.sign {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  @Test("f32 to f16 rounds to nearest, ties to even")
  func roundsHalves() throws {
    let one = Float(1)
    let cases: [(Float, UInt16)] = [
      (one + 0x1p-11, 0x3C00), (one + 3 * 0x1p-11, 0x3C02), (one + 0x1.1p-11, 0x3C01),
      (65519.996, 0x7BFF), (65520, 0x7C00), (-1e30, 0xFC00), (0x1p-25, 0), (0x1.8p-25, 1),
      (0x1p-24, 1), (3 * 0x1p-25, 2), (-0.0, 0x8000), (.nan, 0x7E00),
    ]
    #expect(try stored(cases.map(\.0), as: .f16) == cases.map(\.1))
  }

  @Test("f32 to bf16 rounds to nearest, ties to even")
  func roundsBrainFloats() throws {
    let cases: [(Float, UInt16)] = [
      (1, 0x3F80), (Float(bitPattern: 0x3F80_8000), 0x3F80),
      (Float(bitPattern: 0x3F81_8000), 0x3F82),
      (Float(bitPattern: 0x3F80_8001), 0x3F81), (.greatestFiniteMagnitude, 0x7F80),
      (-.infinity, 0xFF80), (Float(bitPattern: 0x7F80_0001), 0x7FC0),
    ]
    #expect(try stored(cases.map(\.0), as: .bf16) == cases.map(\.1))
  }

  /// Blocks of bytes (37 i + 101 k + 11) mod 256 with scales ±0.0123, ±0.0246; digests of the f32
  /// values that `gguf.quants.dequantize` (PyPI gguf 0.17) gives for them.
  @Test(
    "quantised blocks equal the Python package gguf bit by bit",
    arguments: [
      (
        2, "Q4_0", 18, [0], "805ada5ee7c037640ab587434b898ba63c872de4693500b8cfe423f948fd07d1"
      ),
      (
        3, "Q4_1", 20, [0, 2], "eec77f183255bd8d32759f3e4c9770ed9ea1deed0935b70977a92d40b2f93426"
      ),
      (
        6, "Q5_0", 22, [0], "6ae048dcb9973a1ea704efc269e8c37b4d1eca27004db16b63e59b5f72cd84a9"
      ),
      (
        7, "Q5_1", 24, [0, 2], "ff424d78f603bfb259a440d3f926449d606fb99c66ad28bd4ca83bbd7c17fff7"
      ),
      (
        8, "Q8_0", 34, [0], "9548244b3acb623b8d1f048fb7ec104e0472fc80bd6f2583af02d4680d5ad8bc"
      ),
      (
        10, "Q2_K", 84, [80, 82], "058776d95473dab033d411b57995a89aeb602ee01c4e4b4bed30e42b6d741357"
      ),
      (
        11, "Q3_K", 110, [108], "32f8461856915a4e3231aec432881e9887b8959d07df272d07263bcec60ed1cb"
      ),
      (
        20, "IQ4_NL", 18, [0], "474e8e90251aea9227597f4c049bfe1844889f92413592a94873b8b07b402cb7"
      ),
      (
        23, "IQ4_XS", 136, [0], "99029bdfda76c48a7d6de189951bbeb77ebd293b7c061d640094fdf4cb522ced"
      ),
      (
        12, "Q4_K", 144, [0, 2], "273daf46ecbdd69ef31f0b063a3b67e51748c8edc39980b61ad5df69ffa3d2e1"
      ),
      (
        13, "Q5_K", 176, [0, 2], "0519d74e3dd5ec6bf57ebfc0f153375a90ab1a5ef9dbf904e6c605b53fe01607"
      ),
      (
        14, "Q6_K", 210, [208], "372d34ac66dd10c3c20675091caab34c71645fc04579a9ffa9223d8347d84884"
      ),
    ] as [(UInt32, String, Int, [Int], String)])
  func quantised(
    number: UInt32, name: String, blockBytes: Int, scales: [Int], digest: String
  ) throws {
    var bytes: [UInt8] = []
    for k in 0..<4 {
      var block = (0..<blockBytes).map { UInt8(truncatingIfNeeded: $0 * 37 + k * 101 + 11) }
      for (j, offset) in scales.enumerated() {
        // 0.0123 and 0.0246 to the nearest f16
        let half: UInt16 = (j == 0 ? 0x224C : 0x264C) | (k & 1 == 0 ? 0 : 0x8000)
        block.replaceSubrange(offset..<offset + 2, with: littleEndian(half))
      }
      bytes += block
    }
    let folder = try TemporaryFolder()
    let count = 4 * (blockBytes > 80 ? 256 : 32)
    var file = GGUFBytes()
    file.tensors = [.init(name: "x", shape: [count], type: number, bytes: bytes)]
    let source = try GGUFFile(folder.write("q.gguf", file.bytes))
    #expect(source.entry("x")?.type.rawValue.uppercased() == name.uppercased())
    var hash = SHA256()
    try source.floats("x").withUnsafeBytes { hash.update($0) }
    #expect(hash.hexDigest() == digest)
  }
}
