/// A float32 matrix as it lies in memory; transposed by swapping its strides.
public struct Matrix {
  public var data: UnsafeMutablePointer<Float>
  public var rows, columns, rowStride, columnStride: Int

  public init(
    _ data: UnsafeMutablePointer<Float>, rows: Int, columns: Int, rowStride: Int,
    columnStride: Int = 1
  ) {
    self.data = data
    self.rows = rows
    self.columns = columns
    self.rowStride = rowStride
    self.columnStride = columnStride
  }

  public var transposed: Matrix {
    Matrix(data, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride)
  }
}

/// C = α A B + β C + bias in plain tiled loops.  Make `rows` fast first.
public struct Product {
  /// Rows of one slice.
  public static let grain = 16
  /// A tile of B [depth, width] fits the L1 cache.
  private static let width = 64
  private static let depth = 128

  public var a, b, c: Matrix
  /// [columns]
  public var bias: UnsafePointer<Float>?
  public var alpha, beta: Float

  public init(
    a: Matrix, b: Matrix, c: Matrix, bias: UnsafePointer<Float>?, alpha: Float, beta: Float
  ) {
    self.a = a
    self.b = b
    self.c = c
    self.bias = bias
    self.alpha = alpha
    self.beta = beta
  }

  public var fits: Bool {
    a.rows == c.rows && b.columns == c.columns && a.columns == b.rows
  }

  /// Some rows of C, at most `grain`.  Each cell is summed in the same order whatever the thread
  /// count, which is what the flag DETERMINISTIC claims.
  public func rows(_ range: Range<Int>) {
    let width = Self.width
    withUnsafeTemporaryAllocation(of: Float.self, capacity: (Self.depth + Self.grain) * width) {
      buffer in
      guard let tile = buffer.baseAddress else { return }
      let sums = tile + Self.depth * width
      for j0 in stride(from: 0, to: b.columns, by: width) {
        let columns = min(width, b.columns - j0)
        // Columns beyond `columns` are computed, never stored.
        buffer.initialize(repeating: 0)
        for p0 in stride(from: 0, to: a.columns, by: Self.depth) {
          let depth = min(Self.depth, a.columns - p0)
          for j in 0..<columns {
            for p in 0..<depth {
              tile[p * width + j] = b.data[(p0 + p) * b.rowStride + (j0 + j) * b.columnStride]
            }
          }
          for i in range {
            add(row: i, from: p0, depth: depth, tile, to: sums + (i - range.lowerBound) * width)
          }
        }
        for i in range {
          for j in 0..<columns { store(i, j0 + j, sums[(i - range.lowerBound) * width + j]) }
        }
      }
    }
  }

  /// sums[j] += Σ_p A(i, p0 + p) tile(p, j)
  @inline(__always)
  private func add(
    row i: Int, from p0: Int, depth: Int, _ tile: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    for p in 0..<depth {
      let x = a.data[i * a.rowStride + (p0 + p) * a.columnStride]
      let line = tile + p * Self.width
      for j in 0..<Self.width { sums[j] += x * line[j] }
    }
  }

  private func store(_ i: Int, _ j: Int, _ sum: Float) {
    let cell = c.data + (i * c.rowStride + j)
    var value = alpha * sum
    if beta != 0 { value += beta * cell.pointee }  // β 0: C is not read, it may hold NaN
    if let bias { value += bias[j] }
    cell.pointee = value
  }
}
