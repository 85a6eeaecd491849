import CSparPlugin
import SparCompute
import SparHost
import SparTensor
import Testing

/// Products with weights as files store them equal those with the same weights in f32.
@Suite("Stored weights: operations") struct StoredProductTests {
  /// Backends that decode by themselves, and ones that leave it to the host.
  enum Kind: String, CaseIterable {
    case avx512, avx2, portable, openblas, gemmOnly, nothing

    func make() throws -> Backend {
      switch self {
      case .gemmOnly, .nothing:
        var api = spar_backend_api()
        if self == .gemmOnly {
          api.gemm = { _, args in
            guard let b = args?.pointee.b, b.pointee.dtype == Int32(SPAR_F32) else {
              return spar_status(SPAR_UNSUPPORTED)
            }
            return plainTable.gemm(nil, args)
          }
        }
        return Backend(api: api, instance: nil, name: rawValue, loops: ParallelLoops())
      default:
        let host = PluginHost(search: PluginSearch(), threads: 2)
        let options =
          self == .openblas
          ? ["products": "openblas"] : ["products": "own", "kernels": rawValue]
        return try Backend(host.makeBackend("openblas", options: options, threads: 2))
      }
    }

    /// The host's slabs end sums elsewhere than a whole product would, or the twin sums in f64.
    var isExact: Bool { self != .gemmOnly && self != .nothing && self != .openblas }
  }

  /// Bits for backends that decode, else the tolerance of a sum in another order.
  func expectSame(
    _ found: Tensor, _ right: Tensor, _ kind: Kind, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let (found, right) = (found.array(), right.array())
    if kind.isExact {
      #expect(found == right, "\(what) on \(kind)", sourceLocation: sourceLocation)
    } else {
      let worst = zip(found, right).map { abs($0 - $1) }.max() ?? 0
      let size = right.map(abs).max() ?? 0
      #expect(
        worst <= 1e-5 * max(1, size), "\(what) on \(kind) is off by \(worst)",
        sourceLocation: sourceLocation)
    }
  }

  @Test("y = x Wᵀ and dx = dy W, few rows and many", arguments: Kind.allCases, storedTypes)
  func products(kind: Kind, type: DType) throws {
    let backend = try kind.make()
    // 2080: beyond the block in which the kernels sum.
    for (out, width) in [(70, 96), (33, 2080)] {
      let matrix = StoredMatrix(type, out, width)
      let (stored, plain) = (matrix.stored, try matrix.expanded(backend))
      let bias = randomTensor([out], 3)
      for rows in [1, 2, 3, 5, 8, 11, 40, 53] {
        let x = randomTensor([rows, width], rows)
        let dy = randomTensor([rows, out], 100 + rows)
        let results = try [stored, plain].map { weight -> [Tensor] in
          let (y, dx) = (randomTensor([rows, out], 7), randomTensor([rows, width], 8))
          try backend.gemm(x, weight, into: y, transposeB: true, bias: bias, beta: 1)
          try backend.gemm(dy, weight, into: dx, beta: rows % 2 == 0 ? 1 : 0)
          return [y, dx]
        }
        expectSame(results[0][0], results[1][0], kind, "y of \(rows) rows")
        expectSame(results[0][1], results[1][1], kind, "dx of \(rows) rows")
      }
    }
  }

  @Test(
    "products=int8: near, the same for a row alone, and of other weights their Q8_0",
    .enabled(if: hasVNNI, "this processor has no AVX-512 VNNI"), arguments: storedTypes + [.f32])
  func int8(type: DType) throws {
    let host = PluginHost(search: PluginSearch(), threads: 2)
    let coarse = try Backend(
      host.makeBackend("openblas", options: ["products": "int8"], threads: 2))
    let exact = try Kind.avx512.make()
    for (out, width, rows) in [(70, 96, 53), (33, 2080, 1), (20, 64, 130)] {
      let weight =
        type == .f32
        ? randomTensor([out, width], 9) : StoredMatrix(type, out, width).stored
      let x = randomTensor([rows, width], rows)
      let (found, right) = (coarse.tensor([rows, out]), exact.tensor([rows, out]))
      try coarse.gemm(x, weight, into: found, transposeB: true)
      try exact.gemm(x, weight, into: right, transposeB: true)
      let (a, b) = (found.array(), right.array())
      let error = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let size = b.reduce(0) { $0 + $1 * $1 }
      #expect(error > 0 && error < 1e-4 * size)
      let one = coarse.tensor([1, out])
      try coarse.gemm(x.rows(rows - 1..<rows), weight, into: one, transposeB: true)
      #expect(one.array() == Array(a.suffix(out)))
    }
  }

  @Test(
    "products=int8: rows that are no whole blocks are multiplied exactly, and what is not finite stays",
    .enabled(if: hasVNNI, "this processor has no AVX-512 VNNI"))
  func int8Limits() throws {
    let host = PluginHost(search: PluginSearch(), threads: 2)
    let coarse = try Backend(
      host.makeBackend("openblas", options: ["products": "int8"], threads: 2))
    let exact = try Kind.avx512.make()
    let (x, weight) = (randomTensor([5, 50], 1), randomTensor([9, 50], 2))
    let (found, right) = (coarse.tensor([5, 9]), exact.tensor([5, 9]))
    try coarse.gemm(x, weight, into: found, transposeB: true)
    try exact.gemm(x, weight, into: right, transposeB: true)
    #expect(found.array() == right.array())
    for damage in [Float.nan, .infinity] {
      let (rows, wide) = (randomTensor([3, 64], 3), randomTensor([4, 64], 4))
      rows.floats[64 + 40] = damage
      let y = coarse.tensor([3, 4])
      try coarse.gemm(rows, wide, into: y, transposeB: true)
      #expect(y.array().map(\.isFinite) == (0..<12).map { $0 / 4 != 1 })
    }
  }

  @Test("a view of rows is those rows", arguments: storedTypes) func views(type: DType) throws {
    let backend = try Kind.avx512.make()
    let matrix = StoredMatrix(type, 60, 64)
    let x = randomTensor([3, 64], 1)
    let (whole, part) = (backend.tensor([3, 60]), backend.tensor([3, 20]))
    try backend.gemm(x, matrix.stored, into: whole, transposeB: true)
    try backend.gemm(x, matrix.stored.rows(15..<35), into: part, transposeB: true)
    for row in 0..<3 {
      let start = row * 60 + 15
      #expect(part.rows(row..<row + 1).array() == Array(whole.array()[start..<start + 20]))
    }
  }

  @Test("embedding and linear head, forward and backward", arguments: Kind.allCases, storedTypes)
  func head(kind: Kind, type: DType) throws {
    let backend = try kind.make()
    let (rows, width, vocabulary) = (60, 64, 1100)
    let matrix = StoredMatrix(type, vocabulary, width)
    let h = randomTensor([rows, width], 1)
    let coef = randomTensor([rows], 2)
    let targets = (0..<Int32(rows)).map { $0 % 7 == 3 ? -1 : $0 * 17 % Int32(vocabulary) }
    let results = try [matrix.stored, matrix.expanded(backend)].map { weight -> [Tensor] in
      let four = (0..<4).map { _ in backend.tensor([rows]) }
      try backend.linearLogp(
        h, weight: weight, targets: targets, logp: four[0], lse: four[1], entropy: four[2],
        sumOfSquares: four[3])
      let dh = backend.tensor([rows, width])
      try backend.linearLogpBackward(
        h, weight: weight, targets: targets, lse: four[1], coef: coef, dh: dh, write: .overwrite,
        dweight: nil)
      let looked = backend.tensor([5, width])
      try backend.embed([3, 0, 1099, 3, 512], table: weight, into: looked)
      return four + [dh, looked]
    }
    let names = ["logp", "lse", "entropy", "sum of squares", "dh", "embedding"]
    for (index, name) in names.enumerated() {
      expectSame(results[0][index], results[1][index], kind, name)
    }
  }

  @Test("special numbers of 16 bits", arguments: [DType.f16, .bf16]) func specials(
    type: DType
  ) throws {
    // Zeros, subnormals, infinities, NaN, the largest and the smallest normal numbers.
    let bits: [UInt16] = [
      0, 0x8000, 1, 0x8001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e01, 0x0080, 0x007f, 0x7f80,
      0xff80, 0x7fc1, 0x3c00, 0xbc00, 0x3555,
    ]
    let bytes = LentArray(bits)
    let table = Tensor(mapped: bytes.raw, dtype: type, shape: [1, bits.count], owner: bytes)
    let right = bits.map {
      type == .f16 ? Float(Float16(bitPattern: $0)) : Float(bitPattern: UInt32($0) << 16)
    }
    for backend in [Backend.reference(), try Kind.avx512.make(), try Kind.portable.make()] {
      let y = backend.tensor([1, bits.count])
      try backend.embed([0], table: table, into: y)
      for (found, right) in zip(y.array(), right) {
        #expect(
          found.isNaN ? right.isNaN : found.bitPattern == right.bitPattern,
          "\(backend.name): \(found) for \(right)")
      }
    }
  }
}

private let hasVNNI: Bool = {
  let host = PluginHost(search: PluginSearch(), threads: 1)
  do {
    _ = try host.makeBackend("openblas", options: ["products": "int8"], threads: 1)
    return true
  } catch {
    return false
  }
}()

private let plainTable = referenceTable()

private final class LentArray: @unchecked Sendable {
  let raw: UnsafeRawBufferPointer
  init(_ values: [UInt16]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * values.count, alignment: 2)
    values.withUnsafeBytes { copy.copyMemory(from: $0) }
    raw = UnsafeRawBufferPointer(copy)
  }
  deinit { raw.deallocate() }
}
