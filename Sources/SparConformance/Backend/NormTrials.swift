import CSparPlugin

private struct NormShape {
  var rows: Int
  var width: Int
  var isLayer: Bool
  var pad = 0

  static let all: [NormShape] = [
    NormShape(rows: 1, width: 1, isLayer: false),
    NormShape(rows: 5, width: 33, isLayer: false, pad: 3),
    NormShape(rows: 130, width: 64, isLayer: false),
    NormShape(rows: 3, width: 577, isLayer: false),
    NormShape(rows: 5, width: 33, isLayer: true, pad: 2),
    NormShape(rows: 70, width: 40, isLayer: true),
  ]

  var label: String {
    "\(isLayer ? "layer" : "RMS") norm of \(times([rows, width]))"
      + (pad > 0 ? ", rows with gaps" : "")
  }

  func fill(_ args: inout spar_norm_args, _ set: OperandSet) {
    args.x = UnsafePointer(set["x"])
    args.weight = UnsafePointer(set["weight"])
    args.bias = UnsafePointer(set["bias"])
    args.dy = UnsafePointer(set["dy"])
    args.y = set["y"]
    args.mean = set["mean"]
    args.rstd = set["rstd"]
    args.dx = set["dx"]
    args.dweight = set["dweight"]
    args.dbias = set["dbias"]
    args.eps = 1e-5
    args.kind = UInt32(isLayer ? SPAR_NORM_LAYER : SPAR_NORM_RMS)
  }
}

extension OperationFamily {
  static let norm = OperationFamily(
    name: "norm", about: "RMS and layer norm with what the backward pass needs"
  ) { seed in
    NormShape.all.enumerated().map { index, shape in
      OperationTrial(
        label: shape.label,
        operands: {
          var values = TrialValues(seed, 200 + index)
          let x = [shape.rows, shape.width]
          var all: [OperandSpec] = [
            .input("x", x, values.reals(x, scale: 2), pad: shape.pad),
            .input("weight", [shape.width], values.reals([shape.width])),
          ]
          if shape.isLayer {
            all.append(.input("bias", [shape.width], values.reals([shape.width])))
            all.append(.output("mean", [shape.rows]))
          }
          return all + [.output("y", x, pad: shape.pad), .output("rstd", [shape.rows])]
        },
        call: { set, api, me in
          var args = spar_norm_args()
          shape.fill(&args, set)
          return set.call(api.norm, me, args)
        })
    }
  }

  static let normBackward = OperationFamily(
    name: "norm_bwd", about: "dx written or added to, dweight and dbias always added to"
  ) { seed in
    NormShape.all.enumerated().flatMap { index, shape in
      [false, true].map { accumulate in
        OperationTrial(
          label: shape.label + (accumulate ? ", added to" : ""), tolerance: 5e-5,
          operands: { backwardOperands(shape, seed, index, accumulate) },
          call: { set, api, me in
            var args = spar_norm_args()
            shape.fill(&args, set)
            if accumulate { args.flags |= UInt64(SPAR_ACCUMULATE) }
            return set.call(api.norm_bwd, me, args)
          })
      }
    }
  }

  private static func backwardOperands(
    _ shape: NormShape, _ seed: UInt64, _ index: Int, _ accumulate: Bool
  ) -> [OperandSpec] {
    var values = TrialValues(seed, 250 + index)
    let x = [shape.rows, shape.width]
    let width = Double(shape.width)
    let data = values.reals(x, scale: 2)
    let rows = stride(from: 0, to: data.count, by: shape.width).map {
      data[$0..<$0 + shape.width]
    }
    let means = rows.map { shape.isLayer ? $0.reduce(0, +) / width : 0 }
    let rstd = zip(rows, means).map { row, mean in
      1 / (row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / width + 1e-5).squareRoot()
    }
    var all: [OperandSpec] = [
      .input("x", x, data, pad: shape.pad),
      .input("weight", [shape.width], values.reals([shape.width])),
      .input("rstd", [shape.rows], rstd),
      .input("dy", x, values.reals(x)),
      accumulate
        ? .update("dx", x, values.reals(x), pad: shape.pad) : .output("dx", x, pad: shape.pad),
      .update("dweight", [shape.width], values.reals([shape.width])),
    ]
    if shape.isLayer {
      all.append(.input("mean", [shape.rows], means))
      all.append(.input("bias", [shape.width], values.reals([shape.width])))
      all.append(.update("dbias", [shape.width], values.reals([shape.width])))
    }
    return all
  }
}
