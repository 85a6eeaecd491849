import CSparPlugin
import Glibc

private let planes = [[1, 1], [3, 7], [17, 33], [130, 301]]

extension OperationFamily {
  static let rotary = OperationFamily(
    name: "rope", about: "halves and neighbours as pairs, forward and inverse, in place"
  ) { seed in
    [(false, false), (false, true), (true, false), (true, true)].enumerated().flatMap {
      index, way in
      [[5, 2, 8], [21, 3, 16]].map { x in
        let (interleaved, inverse) = way
        return OperationTrial(
          label: times(x) + (interleaved ? ", neighbours" : ", halves")
            + (inverse ? ", inverse" : ""),
          operands: {
            var values = TrialValues(seed, 500 + index)
            let table = [30, x[2] / 2]
            let angles = values.reals(table, scale: 3)
            return [
              .update("x", x, values.reals(x), pad: 3),
              .input("cos", table, angles.map { Double(Float(cos($0))) }),
              .input("sin", table, angles.map { Double(Float(sin($0))) }),
            ]
          },
          call: { set, api, me in
            var args = spar_rope_args()
            args.flags =
              (interleaved ? UInt64(SPAR_INTERLEAVED) : 0) | (inverse ? UInt64(SPAR_INVERSE) : 0)
            args.x = set["x"]
            args.cos = UnsafePointer(set["cos"])
            args.sin = UnsafePointer(set["sin"])
            args.positions = set.indices((0..<x[0]).map { $0 * 7 % 30 })
            return set.call(api.rope, me, args)
          })
      }
    }
  }

  private static let activationKinds = [
    (SPAR_RELU, "relu"), (SPAR_GELU, "gelu"), (SPAR_GELU_TANH, "gelu tanh"), (SPAR_SILU, "silu"),
    (SPAR_TANH, "tanh"), (SPAR_SIGMOID, "sigmoid"),
  ]

  static let activation = OperationFamily(
    name: "activation", about: "relu, gelu, gelu tanh, silu, tanh, sigmoid; plain and gated"
  ) { seed in activations(seed, backward: false) }

  static let activationBackward = OperationFamily(
    name: "activation_bwd", about: "dx and dgate of all activations"
  ) { seed in activations(seed, backward: true) }

  private static func activations(_ seed: UInt64, backward: Bool) -> [OperationTrial] {
    activationKinds.enumerated().flatMap { index, kind in
      planes.flatMap { x in
        [false, true].map { gated in
          OperationTrial(
            label: "\(kind.1) of \(times(x))" + (gated ? ", gated" : ""),
            operands: {
              var values = TrialValues(seed, 520 + index)
              var all: [OperandSpec] = [.input("x", x, values.reals(x, scale: 9), pad: 3)]
              if gated { all.append(.input("gate", x, values.reals(x))) }
              guard backward else { return all + [.output("y", x, pad: 2)] }
              all.append(.input("dy", x, values.reals(x)))
              if gated { all.append(.output("dgate", x)) }
              return all + [.output("dx", x, pad: 2)]
            },
            call: { set, api, me in
              var args = spar_activation_args()
              args.x = UnsafePointer(set["x"])
              args.gate = UnsafePointer(set["gate"])
              args.dy = UnsafePointer(set["dy"])
              args.y = set["y"]
              args.dx = set["dx"]
              args.dgate = set["dgate"]
              args.kind = UInt32(kind.0)
              return set.call(backward ? api.activation_bwd : api.activation, me, args)
            })
        }
      }
    }
  }

  static let binary = OperationFamily(
    name: "binary", about: "scaled sums and products, z broadcast over rows"
  ) { seed in
    [(SPAR_ADD, "sum"), (SPAR_MUL, "product")].enumerated().flatMap { index, kind in
      planes.flatMap { x in
        [false, true].map { broadcast in
          OperationTrial(
            label: "\(kind.1) of \(times(x))" + (broadcast ? ", one row z" : ""),
            operands: {
              var values = TrialValues(seed, 540 + index)
              let z = broadcast ? [x[1]] : x
              return [
                .input("x", x, values.reals(x), pad: 3),
                .input("z", z, values.reals(z), pad: broadcast ? 0 : 1), .output("y", x, pad: 2),
              ]
            },
            call: { set, api, me in
              var args = spar_binary_args()
              args.x = UnsafePointer(set["x"])
              args.z = UnsafePointer(set["z"])
              args.y = set["y"]
              args.alpha = 2
              args.beta = -0.5
              args.kind = UInt32(kind.0)
              return set.call(api.binary, me, args)
            },
            expected: { set in
              let (x, z) = (set.values("x"), set.values("z"))
              return [
                "y": x.indices.map { i in
                  let (a, b) = (2 * x[i], -0.5 * z[i % z.count])
                  return kind.0 == SPAR_MUL ? a * b : a + b
                }
              ]
            })
        }
      }
    }
  }

  static let reduce = OperationFamily(
    name: "reduce", about: "sum over rows, over all, of squares, and the maximum"
  ) { seed in
    [
      (SPAR_SUM_ROWS, "sum over rows"), (SPAR_SUM_ALL, "sum"), (SPAR_SUMSQ_ALL, "sum of squares"),
      (SPAR_MAX_ALL, "maximum"),
    ].enumerated().flatMap { index, kind in
      (planes + [[300, 333]]).flatMap { x in
        [0, 3].map { pad in
          OperationTrial(
            label: "\(kind.1) of \(times(x))" + (pad > 0 ? ", rows with gaps" : ""),
            tolerance: 1e-4,
            operands: {
              var values = TrialValues(seed, 560 + index)
              return [
                .input("x", x, values.reals(x), pad: pad),
                .output("y", [kind.0 == SPAR_SUM_ROWS ? x[1] : 1]),
              ]
            },
            call: { set, api, me in
              var args = spar_reduce_args()
              args.x = UnsafePointer(set["x"])
              args.y = set["y"]
              args.kind = UInt32(kind.0)
              return set.call(api.reduce, me, args)
            })
        }
      }
    }
  }

  static let fill = OperationFamily(
    name: "fill", about: "every element of y, nothing between its rows"
  ) { _ in
    planes.flatMap { x in
      [0, 3].map { pad in
        OperationTrial(
          label: times(x) + (pad > 0 ? ", rows with gaps" : ""), tolerance: 0,
          operands: { [.output("y", x, pad: pad)] },
          call: { set, api, me in api.fill.map { $0(me, set["y"], 0.375) } },
          expected: { _ in ["y": .init(repeating: 0.375, count: x[0] * x[1])] })
      }
    }
  }
}
