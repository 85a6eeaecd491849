import CSparPlugin
import Glibc
import SparCompute

/// Spans of packed queries and keys, as the ABI's arrays give them.
private struct AttentionShape {
  var label: String
  var heads = 4
  var keyHeads = 2
  var size = 16
  var qLengths: [Int]
  var kLengths: [Int]
  var prefix: (begin: [Int], length: [Int])?
  var causal = true
  var window = 0
  var softcap = 0.0
  var pads = 0

  /// Own keys stand behind the rows of the prefix.
  var prefixRows: Int { zip(prefix?.begin ?? [], prefix?.length ?? []).map(+).max() ?? 0 }
  var queries: Int { qLengths.reduce(0, +) }
  var keys: Int { prefixRows + kLengths.reduce(0, +) }
  var scale: Double { 1 / Double(size).squareRoot() }

  func starts(_ lengths: [Int], from first: Int = 0) -> [Int] {
    lengths.indices.map { first + lengths[..<$0].reduce(0, +) }
  }

  static let all: [AttentionShape] = [
    AttentionShape(label: "one span, causal", qLengths: [7], kLengths: [7]),
    AttentionShape(
      label: "three spans, causal", qLengths: [5, 1, 9], kLengths: [5, 1, 9], pads: 3),
    AttentionShape(
      label: "decoding after cached keys", keyHeads: 1, qLengths: [1, 1], kLengths: [33, 12]),
    AttentionShape(
      label: "not causal", heads: 2, qLengths: [4, 6], kLengths: [9, 6], causal: false),
    AttentionShape(
      label: "a prefix that spans share", qLengths: [3, 4, 2], kLengths: [3, 4, 2],
      prefix: ([0, 0, 0], [11, 11, 11])),
    AttentionShape(
      label: "a window of 5", qLengths: [12], kLengths: [12], window: 5),
    AttentionShape(
      label: "a window over prefix and own keys", qLengths: [4, 3], kLengths: [4, 3],
      prefix: ([0, 2], [6, 5]), window: 4),
    AttentionShape(label: "softcap 3", qLengths: [6], kLengths: [6], softcap: 3),
    AttentionShape(
      label: "150 keys, heads of 8", heads: 2, keyHeads: 2, size: 8, qLengths: [70, 80],
      kLengths: [70, 80]),
  ]

  func fill(_ args: inout spar_attention_args, _ set: OperandSet) {
    args.flags = causal ? UInt64(SPAR_CAUSAL) : 0
    args.q = UnsafePointer(set["q"])
    args.k = UnsafePointer(set["k"])
    args.v = UnsafePointer(set["v"])
    args.o = set["o"]
    args.lse = set["lse"]
    args.d_o = UnsafePointer(set["d_o"])
    args.dq = set["dq"]
    args.dk = set["dk"]
    args.dv = set["dv"]
    args.q_begin = set.offsets(starts(qLengths))
    args.q_len = set.offsets(qLengths)
    args.k_begin = set.offsets(starts(kLengths, from: prefixRows))
    args.k_len = set.offsets(kLengths)
    args.prefix_begin = set.offsets(prefix?.begin)
    args.prefix_len = set.offsets(prefix?.length)
    args.n_seq = Int64(qLengths.count)
    args.window = Int64(window)
    args.scale = scale
    args.softcap = softcap
  }

  /// Old hosts have no softcap; without one they need not say so.
  var pastSize: Int? {
    softcap == 0 ? MemoryLayout<spar_attention_args>.offset(of: \.softcap) : nil
  }

  func inputs(_ values: inout TrialValues) -> [OperandSpec] {
    let (q, k) = ([queries, heads, size], [keys, keyHeads, size])
    return [
      .input("q", q, values.reals(q, scale: 2), pad: pads),
      .input("k", k, values.reals(k, scale: 2), pad: pads),
      .input("v", k, values.reals(k), pad: pads),
    ]
  }
}

extension OperationFamily {
  static let attention = OperationFamily(
    name: "attention",
    about: "packed spans, shared key heads, causal or not, prefixes, windows, softcap"
  ) { seed in
    AttentionShape.all.enumerated().map { index, shape in
      OperationTrial(
        label: shape.label,
        operands: {
          var values = TrialValues(seed, 100 + index)
          return shape.inputs(&values) + [
            .output("o", [shape.queries, shape.heads, shape.size], pad: shape.pads),
            .output("lse", [shape.queries, shape.heads]),
          ]
        },
        call: { set, api, me in
          var args = spar_attention_args()
          shape.fill(&args, set)
          return set.call(api.attention, me, args, pastSize: shape.pastSize)
        })
    }
  }

  static let attentionBackward = OperationFamily(
    name: "attention_bwd", about: "the gradients of q, k and v, written or added to"
  ) { seed in
    AttentionShape.all.enumerated().flatMap { index, shape in
      [false, true].map { accumulate in
        OperationTrial(
          label: shape.label + (accumulate ? ", added to" : ""), tolerance: 5e-5,
          operands: { backwardOperands(shape, seed, index, accumulate) },
          call: { set, api, me in
            var args = spar_attention_args()
            shape.fill(&args, set)
            if accumulate { args.flags |= UInt64(SPAR_ACCUMULATE) }
            return set.call(api.attention_bwd, me, args, pastSize: shape.pastSize)
          })
      }
    }
  }

  /// Inputs of the backward pass: `o` and `lse` are those of the twin's forward pass.
  private static func backwardOperands(
    _ shape: AttentionShape, _ seed: UInt64, _ index: Int, _ accumulate: Bool
  ) -> [OperandSpec] {
    var values = TrialValues(seed, 100 + index)
    let inputs = shape.inputs(&values)
    let q = [shape.queries, shape.heads, shape.size]
    let k = [shape.keys, shape.keyHeads, shape.size]
    let forward = OperandSet(
      inputs + [.output("o", q), .output("lse", [shape.queries, shape.heads])], .present)
    var args = spar_attention_args()
    shape.fill(&args, forward)
    _ = forward.call(referenceTable().attention, nil, args)
    func gradient(_ name: String, _ extent: [Int]) -> OperandSpec {
      accumulate
        ? .update(name, extent, values.reals(extent), pad: shape.pads)
        : .output(name, extent, pad: shape.pads)
    }
    return inputs + [
      .input("o", q, forward.values("o")),
      .input("lse", [shape.queries, shape.heads], forward.values("lse")),
      .input("d_o", q, values.reals(q)),
      gradient("dq", q), gradient("dk", k), gradient("dv", k),
    ]
  }
}
