import CSparPlugin
import Glibc

/// Operations on rows of logits: softmax and log-probabilities.
extension OperationFamily {
  private static let shapes = [[1, 1], [3, 7], [17, 33], [5, 600], [130, 20]]

  static let softmax = OperationFamily(
    name: "softmax", about: "scaled rows, with and without a mask that hides with -inf"
  ) { seed in
    shapes.enumerated().flatMap { index, x in
      [false, true].map { masked in
        OperationTrial(
          label: times(x) + (masked ? ", masked" : ""),
          operands: {
            var values = TrialValues(seed, 300 + index)
            var all: [OperandSpec] = [.input("x", x, values.reals(x, scale: 5), pad: 3)]
            if masked {
              var mask = values.reals([x[1]])
              if x[1] > 1 { mask[x[1] - 1] = -.infinity }
              all.append(.input("mask", [x[1]], mask))
            }
            return all + [.output("y", x, pad: 1)]
          },
          call: { set, api, me in
            var args = spar_softmax_args()
            args.x = UnsafePointer(set["x"])
            args.mask = UnsafePointer(set["mask"])
            args.y = set["y"]
            args.scale = 0.8
            return set.call(api.softmax, me, args)
          },
          expected: { set in
            let (x, mask) = (set.values("x"), set.values("mask"))
            let width = set.operands[0].spec.shape[1]
            let rows = x.indices.map {
              0.8 * x[$0] + (mask.isEmpty ? 0 : mask[$0 % width])
            }
            return [
              "y": eachRow(rows, width) { row in
                let top = row.max() ?? 0
                let sum = row.reduce(0) { $0 + exp($1 - top) }
                return row.map { exp($0 - top) / sum }
              }
            ]
          })
      }
    }
  }

  static let softmaxBackward = OperationFamily(
    name: "softmax_bwd", about: "dx from y and dy"
  ) { seed in
    shapes.enumerated().map { index, x in
      OperationTrial(
        label: times(x),
        operands: {
          var values = TrialValues(seed, 320 + index)
          let width = x[1]
          let y = eachRow(values.reals(x, scale: 3), width) { row in
            let sum = row.reduce(0) { $0 + exp($1) }
            return row.map { exp($0) / sum }
          }
          return [
            .input("y", x, y, pad: 2), .input("dy", x, values.reals(x)), .output("dx", x, pad: 1),
          ]
        },
        call: { set, api, me in
          var args = spar_softmax_args()
          args.y = set["y"]
          args.dy = UnsafePointer(set["dy"])
          args.dx = set["dx"]
          args.scale = 0.8
          return set.call(api.softmax_bwd, me, args)
        },
        expected: { set in
          let (y, dy) = (set.values("y"), set.values("dy"))
          let width = set.operands[0].spec.shape[1]
          return [
            "dx": y.indices.map { i in
              let row = i / width * width
              let dot = (row..<row + width).reduce(0) { $0 + y[$1] * dy[$1] }
              return 0.8 * y[i] * (dy[i] - dot)
            }
          ]
        })
    }
  }

  static let logp = OperationFamily(
    name: "logp", about: "log-probability, log-sum-exp and entropy, rows without a target skipped"
  ) { seed in
    shapes.enumerated().map { index, x in
      OperationTrial(
        label: times(x),
        operands: {
          var values = TrialValues(seed, 340 + index)
          return [
            .input("logits", x, values.reals(x, scale: 8), pad: 3), .output("logp", [x[0]]),
            .output("lse", [x[0]]), .output("entropy", [x[0]]),
          ]
        },
        call: { set, api, me in
          var args = spar_logp_args()
          fill(&args, set, targets(seed, index, x))
          return set.call(api.logp, me, args)
        })
    }
  }

  static let logpBackward = OperationFamily(
    name: "logp_bwd", about: "dlogits from lse and coef, zero in rows without a target"
  ) { seed in
    shapes.enumerated().map { index, x in
      OperationTrial(
        label: times(x),
        operands: {
          var values = TrialValues(seed, 340 + index)
          let logits = values.reals(x, scale: 8)
          let lse = eachRow(logits, x[1]) { row in
            [log(row.reduce(0) { $0 + exp(0.8 * $1) })]
          }
          return [
            .input("logits", x, logits, pad: 3), .input("lse", [x[0]], lse),
            .input("coef", [x[0]], values.reals([x[0]])), .output("dlogits", x, pad: 1),
          ]
        },
        call: { set, api, me in
          var args = spar_logp_args()
          fill(&args, set, targets(seed, index, x))
          return set.call(api.logp_bwd, me, args)
        },
        expected: { set in
          let (logits, lse, coef) = (set.values("logits"), set.values("lse"), set.values("coef"))
          let targets = targets(seed, index, x)
          return [
            "dlogits": logits.indices.map { i in
              let (t, v) = (i / x[1], i % x[1])
              guard targets[t] >= 0 else { return 0 }
              let p = exp(0.8 * logits[i] - lse[t])
              return coef[t] * ((v == targets[t] ? 1 : 0) - p) * 0.8
            }
          ]
        })
    }
  }

  private static func targets(_ seed: UInt64, _ index: Int, _ x: [Int]) -> [Int] {
    var values = TrialValues(seed, 360 + index)
    return values.indices(x[0], below: x[1], hole: 3)
  }

  private static func fill(_ args: inout spar_logp_args, _ set: OperandSet, _ targets: [Int]) {
    args.logits = UnsafePointer(set["logits"])
    args.targets = set.indices(targets)
    args.logp = set["logp"]
    args.lse = set["lse"]
    args.entropy = set["entropy"]
    args.coef = UnsafePointer(set["coef"])
    args.dlogits = set["dlogits"]
    args.inv_temperature = 0.8
  }
}

/// Rows of `width`, each through `change`.
private func eachRow(
  _ values: [Double], _ width: Int, _ change: ([Double]) -> [Double]
) -> [Double] {
  stride(from: 0, to: values.count, by: width).flatMap { change(Array(values[$0..<$0 + width])) }
}
