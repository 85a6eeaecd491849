import CSparPlugin
import SparCompute
import SparTensor

private struct HeadShape {
  var rows: Int
  var width: Int
  var vocabulary: Int
  var softcap = 0.0
  /// Of the head's weight.
  var type = DType.f32

  /// With heads as files store them; they are frozen.
  static let stored = StoredWeights.types.map {
    HeadShape(rows: 9, width: 32, vocabulary: 70, type: $0)
  }

  static let all: [HeadShape] = [
    HeadShape(rows: 1, width: 3, vocabulary: 2),
    HeadShape(rows: 7, width: 33, vocabulary: 65),
    HeadShape(rows: 70, width: 16, vocabulary: 600),
    HeadShape(rows: 9, width: 20, vocabulary: 130, softcap: 4),
  ]

  var label: String {
    "\(rows) rows of \(width), \(vocabulary) tokens" + (softcap > 0 ? ", softcap" : "")
      + (type == .f32 ? "" : ", weight of \(type)")
  }

  func targets(_ seed: UInt64) -> [Int] {
    var values = TrialValues(seed, 400 + rows)
    return values.indices(rows, below: vocabulary, hole: 4)
  }

  func inputs(_ values: inout TrialValues) -> [OperandSpec] {
    let (h, w) = ([rows, width], [vocabulary, width])
    return [
      .input("h", h, values.reals(h), pad: 3),
      .input("weight", w, values.reals(w), pad: type.block, dtype: type),
    ]
  }

  func fill(_ args: inout spar_linear_logp_args, _ set: OperandSet, _ seed: UInt64) {
    args.h = UnsafePointer(set["h"])
    args.weight = UnsafePointer(set["weight"])
    args.targets = set.indices(targets(seed))
    args.logp = set["logp"]
    args.lse = set["lse"]
    args.entropy = set["entropy"]
    args.sum_p2 = set["sum_p2"]
    args.coef = UnsafePointer(set["coef"])
    args.dh = set["dh"]
    args.dweight = set["dweight"]
    args.inv_temperature = 0.9
    args.softcap = softcap
  }

  var pastSize: Int? {
    softcap == 0 ? MemoryLayout<spar_linear_logp_args>.offset(of: \.softcap) : nil
  }
}

extension OperationFamily {
  static let linearLogp = OperationFamily(
    name: "linear_logp", about: "log-probabilities of a linear head without its logits"
  ) { seed in
    (HeadShape.all + HeadShape.stored).flatMap { shape in
      [false, true].map { full in
        OperationTrial(
          label: shape.label + (full ? ", with entropy and sum of squares" : ""),
          operands: {
            var values = TrialValues(seed, 420 + shape.rows)
            let rows = [shape.rows]
            return shape.inputs(&values) + [.output("logp", rows), .output("lse", rows)]
              + (full ? [.output("entropy", rows), .output("sum_p2", rows)] : [])
          },
          call: { set, api, me in
            var args = spar_linear_logp_args()
            shape.fill(&args, set, seed)
            return set.call(api.linear_logp, me, args, pastSize: shape.pastSize)
          })
      }
    }
  }

  static let linearLogpBackward = OperationFamily(
    name: "linear_logp_bwd", about: "dh written or added to, dweight added to or left out"
  ) { seed in
    (HeadShape.all + HeadShape.stored).flatMap { shape in
      [(false, true), (true, true), (false, false)].map { accumulate, weights in
        OperationTrial(
          label: shape.label + (accumulate ? ", added to" : "") + (weights ? "" : ", dh alone"),
          tolerance: 5e-5,
          operands: { backwardOperands(shape, seed, accumulate, weights) },
          call: { set, api, me in
            var args = spar_linear_logp_args()
            shape.fill(&args, set, seed)
            if accumulate { args.flags = UInt64(SPAR_ACCUMULATE) }
            return set.call(api.linear_logp_bwd, me, args, pastSize: shape.pastSize)
          })
      }
    }
  }

  private static func backwardOperands(
    _ shape: HeadShape, _ seed: UInt64, _ accumulate: Bool, _ weights: Bool
  ) -> [OperandSpec] {
    var values = TrialValues(seed, 420 + shape.rows)
    let inputs = shape.inputs(&values)
    let rows = [shape.rows]
    let forward = OperandSet(inputs + [.output("logp", rows), .output("lse", rows)], .present)
    var args = spar_linear_logp_args()
    shape.fill(&args, forward, seed)
    _ = forward.call(referenceTable().linear_logp, nil, args)
    let (h, w) = ([shape.rows, shape.width], [shape.vocabulary, shape.width])
    return inputs + [
      .input("lse", rows, forward.values("lse")), .input("coef", rows, values.reals(rows)),
      accumulate ? .update("dh", h, values.reals(h), pad: 2) : .output("dh", h, pad: 2),
    ] + (weights ? [.update("dweight", w, values.reals(w), pad: 1)] : [])
  }
}
