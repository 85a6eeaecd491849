import CSparPlugin
import Glibc

extension Reference {
  /// A factor that the caller left 0 is absent, and then 1.
  static func factor(_ value: Double) -> Double { value == 0 ? 1 : value }

  /// Rows of a mask: as many as x has, or one for all.
  private static func row(_ mask: Rows, _ t: Int) -> UnsafeMutablePointer<Float> {
    mask.count == 1 ? mask.base : mask[t]
  }

  /// y = softmax(scale x + mask) along rows; a row that is -inf throughout becomes 0.
  static func softmax(_ args: spar_softmax_args) throws(ReferenceGap) {
    let x = try Rows(args.x)
    let mask = try Rows(optional: args.mask)
    let y = try Rows(args.y)
    let scale = factor(args.scale)
    for t in 0..<x.count {
      let z = (0..<x.width).map { c in
        scale * Double(x[t][c]) + (mask.isPresent ? Double(row(mask, t)[c]) : 0)
      }
      let top = z.max() ?? 0
      let weights = z.map { top == -.infinity ? 0 : exp($0 - top) }
      let sum = weights.reduce(0, +)
      for c in 0..<x.width { y[t][c] = sum == 0 ? 0 : Float(weights[c] / sum) }
    }
  }

  /// dx = scale y (dy - Σ y dy).
  static func softmaxBackward(_ args: spar_softmax_args) throws(ReferenceGap) {
    let y = try Rows(args.y)
    let dy = try Rows(args.dy)
    let dx = try Rows(args.dx)
    let scale = factor(args.scale)
    for t in 0..<y.count {
      var projection = 0.0
      for c in 0..<y.width { projection += Double(y[t][c]) * Double(dy[t][c]) }
      for c in 0..<y.width {
        dx[t][c] = Float(scale * Double(y[t][c]) * (Double(dy[t][c]) - projection))
      }
    }
  }

  /// y = value, everywhere.
  static func fill(_ y: UnsafePointer<spar_tensor>?, _ value: Double) throws(ReferenceGap) {
    let rows = try Rows(y, inner: max(Int(y?.pointee.rank ?? 1) - 1, 1))
    for t in 0..<rows.count { rows[t].update(repeating: Float(value), count: rows.width) }
  }
}
