import SparCompute
import SparHost
import SparTensor
import Testing

/// Products of the openblas plugin's own kernels: rows do not know of each other.
@Suite("Products: rows") struct ProductRowsTests {
  private func backend(_ kernels: String, threads: Int) throws -> Backend {
    let host = PluginHost(search: PluginSearch(), threads: threads)
    return try Backend(
      host.makeBackend(
        "openblas", options: ["products": "own", "kernels": kernels], threads: threads))
  }

  private func product(_ x: Tensor, _ weight: Tensor, _ backend: Backend) throws -> [Float] {
    let y = backend.tensor([x.shape[0], weight.shape[0]])
    try backend.gemm(x, weight, into: y, transposeB: true)
    return y.array()
  }

  /// 2080: beyond the block in which the kernels sum.  75 = 8 · 9 + 2 + 1 rows of weights.
  @Test(
    "1 to 100 rows: each has the bits of that row alone, on any number of threads, and is right",
    arguments: ["avx512", "avx2", "portable"], [33, 2080])
  func alone(kernels: String, width: Int) throws {
    let most = 100
    let (x, weight) = (randomTensor([most, width], 1), randomTensor([75, width], 2))
    let (one, three) = (try backend(kernels, threads: 1), try backend(kernels, threads: 3))
    let alone = try (0..<most).map { try product(x.rows($0..<$0 + 1), weight, one) }
    let right = try product(x, weight, Backend.reference())
    let size = right.map(abs).max() ?? 0
    for (found, want) in zip(alone.joined(), right) {
      #expect(abs(found - want) <= 1e-5 * size)
    }
    for rows in 1...most {
      for backend in [one, three] {
        let found = try product(x.rows(0..<rows), weight, backend)
        #expect(found == Array(alone[0..<rows].joined()), "\(rows) rows")
      }
    }
  }
}
