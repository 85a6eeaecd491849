import Foundation
import SparStore
import Testing

@Suite("Arrays of NumPy") struct NPYTests {
  /// A file of the format's version 1 with this header and these bytes behind it.
  private func bytes(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let text = Array((header + "\n").utf8)
    let length = UInt32(text.count)
    let count =
      version == 1
      ? [UInt8(length & 0xFF), UInt8(length >> 8)]
      : (0..<4).map { UInt8(length >> (8 * $0) & 0xFF) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + count + text + data
  }

  private func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in
      withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }
  }

  @Test("what is written is read, to the bit", arguments: [[0, 3], [5], [2, 3], [4, 5, 5]])
  func roundTrip(shape: [Int]) throws {
    let folder = try TemporaryFolder()
    let values = (0..<shape.reduce(1, *)).map { (index: Int) -> Double in
      let value = 0.3 * Float(index) - 7
      return Double(value)
    }
    let array = NPYArray(shape: shape, values: values)
    try array.write(to: folder["a.npy"])
    #expect(try NPYArray(folder["a.npy"]) == array)
    // The data begin at a multiple of 64.
    let file = try Data(contentsOf: URL(fileURLWithPath: folder["a.npy"]))
    #expect((file.count - 4 * values.count) % 64 == 0)
  }

  @Test("half, single and double precision, and later versions of the format")
  func types() throws {
    let folder = try TemporaryFolder()
    func read(_ type: String, _ data: [UInt8], version: UInt8 = 1) throws -> [Double] {
      let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (2,), }"
      return try NPYArray(folder.write("a.npy", bytes(header, data, version: version))).values
    }
    #expect(try read("<f4", floats([1.5, -2])) == [1.5, -2])
    #expect(try read("<f4", floats([1.5, -2]), version: 2) == [1.5, -2])
    // 1 and -2^-24, the smallest half.
    #expect(try read("<f2", [0x00, 0x3C, 0x01, 0x80]) == [1, -0x1p-24])
    let doubles = [0.1, -7].flatMap { (value: Double) in
      withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }
    #expect(try read("<f8", doubles) == [0.1, -7])
  }

  @Test(
    "what is no such file says why, and what to do",
    arguments: [
      ("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "astype"),
      ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", ">f4"),
      ("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", "ascontiguousarray"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "cut off"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", nil),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "cannot be read"),
      ("{'descr': '<f4', 'shape': (1,), }", "cannot be read"),
      (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
        "more numbers"
      ),
    ] as [(String, String?)])
  func hostile(header: String, message: String?) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.npy", bytes(header, floats([1])))
    guard let message else {
      // A scalar.
      #expect(try NPYArray(path) == NPYArray(shape: [], values: [1]))
      return
    }
    let error = try #require(#expect(throws: StoreError.self) { try NPYArray(path) })
    #expect("\(error)".contains(message) && "\(error)".contains(path), "\(error)")
  }

  @Test("every cut of a file is refused")
  func cuts() throws {
    let folder = try TemporaryFolder()
    try NPYArray(shape: [2], values: [1, 2]).write(to: folder["a.npy"])
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder["a.npy"])))
    for count in stride(from: 0, to: whole.count, by: 7) {
      let path = try folder.write("b.npy", Array(whole[..<count]))
      #expect(throws: StoreError.self) { try NPYArray(path) }
    }
  }

  @Test(
    "numpy reads what is written, and writes what is read",
    .enabled(if: H5pyTests.python != nil, H5pyTests.absence))
  func numpy() throws {
    let folder = try TemporaryFolder()
    let array = NPYArray(shape: [3, 2, 2], values: (0..<12).map { Double($0) / 8 })
    try array.write(to: folder["ours.npy"])
    let script = """
      import sys, numpy as np
      a = np.load(sys.argv[1])
      assert a.dtype == np.float32 and a.shape == (3, 2, 2) and a.flags["C_CONTIGUOUS"], a
      assert (a.ravel() == np.arange(12, dtype=np.float32) / 8).all(), a
      np.save(sys.argv[2], a)
      """
    let python = try #require(H5pyTests.python)
    let result = try run([python, "-c", script, folder["ours.npy"], folder["theirs.npy"]])
    #expect(result.status == 0, "\(result.output)")
    #expect(try NPYArray(folder["theirs.npy"]) == array)
    // Header and padding, too.
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: folder["theirs.npy"]))
        == Data(contentsOf: URL(fileURLWithPath: folder["ours.npy"])))
  }
}
