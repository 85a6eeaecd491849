import CSparPlugin
import Glibc
import SparCompute

/// Packed spans, tables of relative positions, and which row each distance has.
private struct RelativeShape {
  var label: String
  var heads = 2
  var size = 16
  var lengths: [Int]
  var buckets: [Int]
  var hasKeyTable = true
  var hasQueryTable = true
  var pads = 0

  var rows: Int { lengths.reduce(0, +) }
  var tableRows: Int { (buckets.max() ?? 0) + 1 }
  var table: [Int] { [tableRows, heads, size] }
  var packed: [Int] { [rows, heads, size] }

  /// Every distance up to `near` a row of its own, farther ones in ever longer runs.
  static func logarithmic(near: Int, reach: Int, middle: Int) -> [Int] {
    (-reach...reach).map { d in
      let far = abs(d) <= near ? abs(d) : near + Int(log2(Double(abs(d)) / Double(near)) * 4)
      return middle + (d < 0 ? -far : far)
    }
  }

  static let all: [RelativeShape] = [
    RelativeShape(label: "one span, a row per distance", lengths: [7], buckets: Array(0...14)),
    RelativeShape(
      label: "three spans, farther than the rows reach", lengths: [5, 1, 21],
      buckets: Array(0...8), pads: 3),
    RelativeShape(
      label: "130 rows, logarithmic runs", size: 8, lengths: [130],
      buckets: logarithmic(near: 16, reach: 128, middle: 28)),
    RelativeShape(
      label: "rows that are left out", lengths: [40],
      buckets: (-20...20).map { 40 + 2 * $0 }),
    RelativeShape(
      label: "queries see positions only", lengths: [9, 20], buckets: Array(0...10),
      hasQueryTable: false),
    RelativeShape(
      label: "keys see positions only", heads: 1, lengths: [18], buckets: Array(0...6),
      hasKeyTable: false),
  ]

  func fill(_ args: inout spar_rel_attention_args, _ set: OperandSet) {
    args.q = UnsafePointer(set["q"])
    args.k = UnsafePointer(set["k"])
    args.v = UnsafePointer(set["v"])
    args.pk = UnsafePointer(set["pk"])
    args.pq = UnsafePointer(set["pq"])
    args.o = set["o"]
    args.lse = set["lse"]
    args.d_o = UnsafePointer(set["d_o"])
    args.dq = set["dq"]
    args.dk = set["dk"]
    args.dv = set["dv"]
    args.dpk = set["dpk"]
    args.dpq = set["dpq"]
    args.begin = set.offsets(lengths.indices.map { lengths[..<$0].reduce(0, +) })
    args.len = set.offsets(lengths)
    args.bucket = set.indices(buckets)
    args.n_seq = Int64(lengths.count)
    args.reach = Int64(buckets.count / 2)
    args.scale = 1 / Double(3 * size).squareRoot()
  }

  func inputs(_ values: inout TrialValues) -> [OperandSpec] {
    var specs = [OperandSpec.input("q", packed, values.reals(packed, scale: 2), pad: pads)]
    specs.append(.input("k", packed, values.reals(packed, scale: 2), pad: pads))
    specs.append(.input("v", packed, values.reals(packed), pad: pads))
    if hasKeyTable { specs.append(.input("pk", table, values.reals(table), pad: pads)) }
    if hasQueryTable { specs.append(.input("pq", table, values.reals(table), pad: pads)) }
    return specs
  }

  var outputs: [OperandSpec] {
    [.output("o", packed, pad: pads), .output("lse", [rows, heads])]
  }
}

extension OperationFamily {
  static let relativeAttention = OperationFamily(
    name: "rel_attention", about: "packed spans with tables of relative positions"
  ) { seed in
    RelativeShape.all.enumerated().map { index, shape in
      OperationTrial(
        label: shape.label,
        operands: {
          var values = TrialValues(seed, 400 + index)
          return shape.inputs(&values) + shape.outputs
        },
        call: { set, api, me in
          var args = spar_rel_attention_args()
          shape.fill(&args, set)
          return set.call(api.rel_attention, me, args)
        })
    }
  }

  static let relativeAttentionBackward = OperationFamily(
    name: "rel_attention_bwd",
    about: "the gradients of q, k, v and of the tables, written or added to"
  ) { seed in
    RelativeShape.all.enumerated().flatMap { index, shape in
      [false, true].map { accumulate in
        OperationTrial(
          label: shape.label + (accumulate ? ", added to" : ""), tolerance: 5e-5,
          operands: { backwardOperands(shape, seed, index, accumulate) },
          call: { set, api, me in
            var args = spar_rel_attention_args()
            shape.fill(&args, set)
            if accumulate { args.flags |= UInt64(SPAR_ACCUMULATE) }
            return set.call(api.rel_attention_bwd, me, args)
          })
      }
    }
  }

  /// Inputs of the backward pass: `o` and `lse` are those of the twin's forward pass.
  private static func backwardOperands(
    _ shape: RelativeShape, _ seed: UInt64, _ index: Int, _ accumulate: Bool
  ) -> [OperandSpec] {
    var values = TrialValues(seed, 400 + index)
    let inputs = shape.inputs(&values)
    let forward = OperandSet(inputs + shape.outputs, .present)
    var args = spar_rel_attention_args()
    shape.fill(&args, forward)
    _ = forward.call(referenceTable().rel_attention, nil, args)
    func gradient(_ name: String, _ extent: [Int]) -> OperandSpec {
      accumulate
        ? .update(name, extent, values.reals(extent), pad: shape.pads)
        : .output(name, extent, pad: shape.pads)
    }
    var specs = inputs
    specs.append(.input("o", shape.packed, forward.values("o")))
    specs.append(.input("lse", [shape.rows, shape.heads], forward.values("lse")))
    specs.append(.input("d_o", shape.packed, values.reals(shape.packed)))
    specs += ["dq", "dk", "dv"].map { gradient($0, shape.packed) }
    if shape.hasKeyTable { specs.append(gradient("dpk", shape.table)) }
    if shape.hasQueryTable { specs.append(gradient("dpq", shape.table)) }
    return specs
  }
}
