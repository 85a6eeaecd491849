import CSparPlugin
import Glibc

extension Reference {
  /// RMS: y = x rstd w.  Layer: y = (x - mean) rstd w + b.  rstd = 1 / sqrt(variance + eps).
  static func norm(_ args: spar_norm_args) throws(ReferenceGap) {
    let x = try Rows(args.x)
    let weight = try Rows(args.weight)
    let bias = try Rows(optional: args.bias)
    let y = try Rows(args.y)
    let rstd = try Rows(args.rstd)
    let means = try Rows(optional: args.mean)
    let isLayer = args.kind == UInt32(SPAR_NORM_LAYER)
    let width = Double(x.width)
    for t in 0..<x.count {
      var mean = 0.0
      if isLayer {
        for c in 0..<x.width { mean += Double(x[t][c]) }
        mean /= width
      }
      var square = 0.0
      for c in 0..<x.width {
        let centred = Double(x[t][c]) - mean
        square += centred * centred
      }
      let scale = 1 / (square / width + args.eps).squareRoot()
      for c in 0..<x.width {
        let value = (Double(x[t][c]) - mean) * scale * Double(weight.base[c])
        y[t][c] = Float(value + (bias.isPresent ? Double(bias.base[c]) : 0))
      }
      rstd.base[t] = Float(scale)
      if means.isPresent { means.base[t] = Float(mean) }
    }
  }

  static func normBackward(_ args: spar_norm_args) throws(ReferenceGap) {
    let x = try Rows(args.x)
    let weight = try Rows(args.weight)
    let dy = try Rows(args.dy)
    let dx = try Rows(args.dx)
    let rstd = try Rows(args.rstd)
    let means = try Rows(optional: args.mean)
    let dweight = try Rows(optional: args.dweight)
    let dbias = try Rows(optional: args.dbias)
    let isLayer = args.kind == UInt32(SPAR_NORM_LAYER)
    let accumulate = args.flags & UInt64(SPAR_ACCUMULATE) != 0
    let width = Double(x.width)
    for t in 0..<x.count {
      let scale = Double(rstd.base[t])
      let mean = isLayer && means.isPresent ? Double(means.base[t]) : 0
      var projection = 0.0
      var total = 0.0
      for c in 0..<x.width {
        let g = Double(dy[t][c]) * Double(weight.base[c])
        projection += g * (Double(x[t][c]) - mean) * scale
        total += g
      }
      for c in 0..<x.width {
        let normal = (Double(x[t][c]) - mean) * scale
        let g = Double(dy[t][c]) * Double(weight.base[c])
        let value = scale * (g - normal * projection / width - (isLayer ? total / width : 0))
        dx[t][c] = Float(value + (accumulate ? Double(dx[t][c]) : 0))
        if dweight.isPresent { dweight.base[c] += Float(Double(dy[t][c]) * normal) }
        if dbias.isPresent { dbias.base[c] += dy[t][c] }
      }
    }
  }
}
