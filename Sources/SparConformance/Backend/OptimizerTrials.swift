import CSparPlugin

extension OperationFamily {
  static let optimizer = OperationFamily(
    name: "optimizer",
    about: "AdamW, RMSprop, SGD and Lion, first and later steps, one and two axes"
  ) { seed in
    [
      (SPAR_OPT_ADAMW, "AdamW", true, true), (SPAR_OPT_RMSPROP, "RMSprop", false, true),
      (SPAR_OPT_RMSPROP, "RMSprop with momentum", true, true),
      (SPAR_OPT_SGD, "SGD", false, false), (SPAR_OPT_SGD, "SGD with momentum", true, false),
      (SPAR_OPT_LION, "Lion", true, false),
    ].enumerated().flatMap { index, rule in
      [([1], 1), ([77], 3), ([9, 2000], 1)].map { shape, step in
        let (kind, name, first, second) = rule
        return OperationTrial(
          label: "\(name), \(times(shape)), step \(step)",
          operands: {
            var values = TrialValues(seed, 700 + index)
            var all: [OperandSpec] = [
              .update("p", shape, values.reals(shape)), .input("g", shape, values.reals(shape)),
            ]
            if first { all.append(.update("m", shape, values.reals(shape, scale: 0.1))) }
            if second {
              all.append(.update("v", shape, values.reals(shape, scale: 0.1).map { abs($0) }))
            }
            return all
          },
          call: { set, api, me in
            var args = spar_optimizer_args()
            args.p = set["p"]
            args.g = UnsafePointer(set["g"])
            args.m = set["m"]
            args.v = set["v"]
            args.lr = 0.01
            args.beta1 = 0.9
            args.beta2 = 0.99
            args.eps = 1e-6
            args.weight_decay = 0.1
            args.momentum = first && kind != SPAR_OPT_ADAMW && kind != SPAR_OPT_LION ? 0.8 : 0
            args.grad_scale = 0.5
            args.step = Int64(step)
            args.kind = UInt32(kind)
            return set.call(api.optimizer, me, args)
          })
      }
    }
  }
}
