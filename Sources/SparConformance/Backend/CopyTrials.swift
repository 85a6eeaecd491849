import CSparPlugin
import SparTensor

/// Operations that move rows: copies, embedding and its gradient.
extension OperationFamily {
  static let copy = OperationFamily(
    name: "copy", about: "layouts, types, and rows from and to named places"
  ) { seed in
    var cases: [OperationTrial] = []
    for x in [[1, 1], [17, 33], [130, 301]] {
      cases.append(copy(seed, x, from: .f32, to: .f32, pads: (0, 0)))
      cases.append(copy(seed, x, from: .f32, to: .f32, pads: (3, 1)))
    }
    for other in [DType.f16, .bf16, .f64] {
      cases.append(copy(seed, [17, 33], from: .f32, to: other, pads: (0, 2)))
      cases.append(copy(seed, [17, 33], from: other, to: .f32, pads: (1, 0)))
    }
    return cases + [
      rows(seed, from: [3, 3, 19, 0], to: [9, 0, 11, 7]), rows(seed, from: nil, to: [4, 1, 2]),
      rows(seed, from: [5, 2], to: nil),
    ]
  }

  private static func copy(
    _ seed: UInt64, _ x: [Int], from: DType, to: DType, pads: (Int, Int)
  ) -> OperationTrial {
    OperationTrial(
      label: "\(times(x)), \(from) to \(to)" + (pads == (0, 0) ? "" : ", rows with gaps"),
      tolerance: 0,
      operands: {
        var values = TrialValues(seed, 600 + x[0])
        return [
          .input("x", x, values.reals(x, scale: 50), pad: pads.0, dtype: from),
          .output("y", x, pad: pads.1, dtype: to),
        ]
      },
      call: { set, api, me in
        var args = spar_copy_args()
        args.x = UnsafePointer(set["x"])
        args.y = set["y"]
        return set.call(api.copy, me, args)
      },
      expected: { ["y": $0.values("x")] })
  }

  private static func rows(_ seed: UInt64, from: [Int]?, to: [Int]?) -> OperationTrial {
    let (count, width) = (from?.count ?? to?.count ?? 0, 30)
    let told = [from.map { "from \($0)" }, to.map { "to \($0)" }].compactMap { $0 }
    return OperationTrial(
      label: "rows " + told.joined(separator: " "), tolerance: 0,
      operands: {
        var values = TrialValues(seed, 620)
        return [
          .input("x", [20, width], values.reals([20, width]), pad: 3),
          .update("y", [12, width], values.reals([12, width]), pad: 1),
        ]
      },
      call: { set, api, me in
        var args = spar_copy_args()
        args.x = UnsafePointer(set["x"])
        args.y = set["y"]
        args.x_rows = from.map { set.indices($0) }
        args.y_rows = to.map { set.indices($0) }
        args.n_rows = Int64(count)
        return set.call(api.copy, me, args)
      },
      expected: { set in
        let x = set.values("x")
        var y = set.values("y")
        for t in 0..<count {
          let (source, target) = (from?[t] ?? t, to?[t] ?? t)
          for c in 0..<width { y[target * width + c] = x[source * width + c] }
        }
        return ["y": y]
      })
  }

  static let embed = OperationFamily(
    name: "embed", about: "rows of a table by token, also from tables as files store them"
  ) { seed in
    let types = [1, 9, 300].map { ($0, DType.f32) } + StoredWeights.types.map { (9, $0) }
    return types.map { tokens, type in
      let (width, pad) = type.block > 1 ? (64, 32) : (33, 3)
      return OperationTrial(
        label: "\(tokens) tokens" + (type == .f32 ? "" : ", table of \(type)"), tolerance: 0,
        operands: {
          var values = TrialValues(seed, 640)
          let table = [40, width]
          return [
            .input("table", table, values.reals(table), pad: pad, dtype: type),
            .output("y", [tokens, width], pad: 1),
          ]
        },
        call: { set, api, me in
          var args = spar_embed_args()
          args.table = UnsafePointer(set["table"])
          args.y = set["y"]
          args.ids = set.indices(ids(seed, tokens))
          return set.call(api.embed, me, args)
        })
    }
  }

  static let embedBackward = OperationFamily(
    name: "embed_bwd", about: "gradients added to the table, tokens that repeat included"
  ) { seed in
    [1, 9, 300].map { tokens in
      OperationTrial(
        label: "\(tokens) tokens",
        operands: {
          var values = TrialValues(seed, 660)
          return [
            .input("dy", [tokens, 33], values.reals([tokens, 33]), pad: 1),
            .update("dtable", [40, 33], values.reals([40, 33]), pad: 3),
          ]
        },
        call: { set, api, me in
          var args = spar_embed_args()
          args.dy = UnsafePointer(set["dy"])
          args.dtable = set["dtable"]
          args.ids = set.indices(ids(seed, tokens))
          return set.call(api.embed_bwd, me, args)
        })
    }
  }

  private static func ids(_ seed: UInt64, _ count: Int) -> [Int] {
    var values = TrialValues(seed, 680 + count)
    return values.indices(count, below: 40)
  }
}
