import Testing

@testable import @MODULE@Core

@Suite struct ProductTests {
  /// A matrix whose rows lie `gap` floats further apart than they need.
  private struct Filled {
    static let gap = 3
    var rows, columns: Int
    var data: UnsafeMutablePointer<Float>
    var count: Int { rows * (columns + Self.gap) }

    init(_ rows: Int, _ columns: Int, _ random: inout SystemRandomNumberGenerator) {
      self.rows = rows
      self.columns = columns
      data = .allocate(capacity: rows * (columns + Self.gap))
      for i in 0..<count { data[i] = .random(in: -1...1, using: &random) }
    }

    var matrix: Matrix {
      Matrix(data, rows: rows, columns: columns, rowStride: columns + Self.gap)
    }
    func at(_ i: Int, _ j: Int) -> Double { Double(data[i * (columns + Self.gap) + j]) }
  }

  @Test(
    "products of odd sizes, with every transposition, equal sums in double precision",
    arguments: [[1, 1, 1], [1, 70, 300], [17, 65, 129], [33, 64, 128]])
  func products(shape: [Int]) {
    let (m, n, k) = (shape[0], shape[1], shape[2])
    var random = SystemRandomNumberGenerator()
    for flags in 0..<8 {
      let (ta, tb, beta) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0 ? 0.75 : 0)
      let a = ta ? Filled(k, m, &random) : Filled(m, k, &random)
      let b = tb ? Filled(n, k, &random) : Filled(k, n, &random)
      let (c, bias) = (Filled(m, n, &random), Filled(1, n, &random))
      defer { for filled in [a, b, c, bias] { filled.data.deallocate() } }
      if beta == 0 { for i in 0..<c.count { c.data[i] = .nan } }
      let before = (0..<c.count).map { c.data[$0] }
      let product = Product(
        a: ta ? a.matrix.transposed : a.matrix, b: tb ? b.matrix.transposed : b.matrix,
        c: c.matrix, bias: bias.data, alpha: 0.5, beta: Float(beta))
      #expect(product.fits)
      for begin in stride(from: 0, to: m, by: Product.grain) {
        product.rows(begin..<min(m, begin + Product.grain))
      }
      var worst = 0.0
      for i in 0..<m {
        let row = i * (n + Filled.gap)
        for j in 0..<n {
          var sum = 0.0
          for p in 0..<k { sum += (ta ? a.at(p, i) : a.at(i, p)) * (tb ? b.at(j, p) : b.at(p, j)) }
          let old = beta == 0 ? 0 : beta * Double(before[row + j])
          let miss = abs(c.at(i, j) - (0.5 * sum + old + bias.at(0, j)))
          worst = miss <= worst ? worst : miss
        }
        for gap in row + n..<row + n + Filled.gap {
          #expect(c.data[gap].bitPattern == before[gap].bitPattern, "row \(i): beyond its end")
        }
      }
      #expect(worst < 1e-4, "\(shape), transposed \(ta) \(tb), beta \(beta)")
    }
  }
}
