import CSparKernels
import CSparPlugin
import Glibc
import SparTensor

/// The linear head as products of the plugin: logits [vocabulary, tokens] of a block at a time.
extension Fallback {
  /// 31 lines of 64 bytes: see `paddedWidth`.
  private static let blockTokens = 496
  private static let blockVocabulary = 2048
  /// Rows of the vocabulary that one thread folds at a time.
  private static let part = 256

  /// The head's operands, and some of the rows that count (target >= 0), gathered.
  private struct Tokens {
    let rows: [Int]
    let hidden: Tensor
    let targets: [Int32]
    let width: Int

    func view(_ channels: Int) -> FloatView {
      FloatView(base: hidden.floats, shape: [rows.count, channels], stride: [channels, 1])
    }

    /// Values of the counted rows, padded with zeros.
    func values(_ source: Rows) -> [Float] {
      rows.map { source.base[$0] } + [Float](repeating: 0, count: width - rows.count)
    }
  }

  /// Calls `body` with up to `blockTokens` counted rows at a time.
  private func forEachTokens(
    _ args: spar_linear_logp_args, _ h: Rows, _ body: (Tokens) throws(ReferenceGap) -> Void
  ) throws(ReferenceGap) {
    guard let targets = args.targets else { throw ReferenceGap(what: "no targets") }
    let counted = (0..<h.count).filter { targets[$0] >= 0 }
    for begin in stride(from: 0, to: counted.count, by: Self.blockTokens) {
      let rows = Array(counted[begin..<min(counted.count, begin + Self.blockTokens)])
      let hidden = scratch(rows.count * h.width)
      for (l, t) in rows.enumerated() {
        (hidden.floats + l * h.width).update(from: h[t], count: h.width)
      }
      let width = Self.paddedWidth(rows.count)
      let padding = [Int32](repeating: -1, count: width - rows.count)
      try body(
        Tokens(
          rows: rows, hidden: hidden, targets: rows.map { targets[$0] } + padding, width: width))
    }
  }

  /// Calls `body` with each block of the vocabulary, its rows of the weight and its logits z,
  /// [rows, width].
  private func forEachLogits(
    _ tokens: Tokens, _ weight: StoredRows,
    _ body: (Range<Int>, FloatView, Tensor) throws(ReferenceGap) -> Void
  ) throws(ReferenceGap) {
    let rows = min(weight.count, Self.blockVocabulary)
    let z = scratch(rows * tokens.width)
    let room = weight.isFloat ? nil : scratch(rows * weight.width)
    for begin in stride(from: 0, to: weight.count, by: Self.blockVocabulary) {
      let block = begin..<min(weight.count, begin + Self.blockVocabulary)
      let part = view(weight, block, room)
      try product(
        part, tokens.view(weight.width), transposeB: true,
        into: Self.view(z, block, tokens))
      try body(block, part, z)
    }
  }

  /// Rows in f32: where they lie, or expanded into `room`.
  private func view(_ weight: StoredRows, _ block: Range<Int>, _ room: Tensor?) -> FloatView {
    guard let room else {
      return FloatView(
        base: weight.floats(block.lowerBound), shape: [block.count, weight.width],
        stride: [weight.stride, 1])
    }
    expand(weight, block, into: room.floats)
    return FloatView(
      base: room.floats, shape: [block.count, weight.width], stride: [weight.width, 1])
  }

  private static func view(_ rows: Rows, _ range: Range<Int>) -> FloatView {
    FloatView(
      base: rows[range.lowerBound], shape: [range.count, rows.width], stride: [rows.stride, 1])
  }

  private static func view(_ z: Tensor, _ block: Range<Int>, _ tokens: Tokens) -> FloatView {
    FloatView(
      base: z.floats, shape: [block.count, tokens.rows.count], stride: [tokens.width, 1])
  }

  func linearLogp(_ args: spar_linear_logp_args) throws(ReferenceGap) {
    let (h, weight) = (try Rows(args.h), try StoredRows(args.weight))
    let outputs = (
      logp: try Rows(args.logp), lse: try Rows(args.lse),
      entropy: try Rows(optional: args.entropy), squares: try Rows(optional: args.sum_p2)
    )
    for out in [outputs.logp, outputs.lse, outputs.entropy, outputs.squares] where out.isPresent {
      out.base.update(repeating: 0, count: h.count)
    }
    let scale = Float(Reference.factor(args.inv_temperature))
    try forEachTokens(args, h) { (tokens) throws(ReferenceGap) in
      // A running softmax per token and part of a block: max, sum, weighted, squares, picked.
      let (width, parts) = (tokens.width, Self.blockVocabulary / Self.part)
      let states = scratch(parts * 5 * width)
      states.zero()
      for part in 0..<parts {
        (states.floats + part * 5 * width).update(repeating: -.infinity, count: width)
      }
      try forEachLogits(tokens, weight) { (block, _, z) throws(ReferenceGap) in
        parallel(block.count, grain: Self.part) { range in
          let state = states.floats + range.lowerBound / Self.part * 5 * width
          var sums = spar_vocab_state(
            max: state, sum: state + width, weighted: state + 2 * width,
            squares: state + 3 * width)
          k.pointee.vocab(
            Int64(range.count), Int64(width), scale, Float(args.softcap),
            Int64(block.lowerBound + range.lowerBound), tokens.targets,
            z.floats + range.lowerBound * width, &sums, state + 4 * width)
        }
      }
      for (l, t) in tokens.rows.enumerated() {
        let total = Self.join(states.floats + l, width, parts, target: Int(tokens.targets[l]))
        outputs.logp.base[t] = Float(total.picked - total.lse)
        outputs.lse.base[t] = Float(total.lse)
        if outputs.entropy.isPresent { outputs.entropy.base[t] = Float(total.entropy) }
        if outputs.squares.isPresent { outputs.squares.base[t] = Float(total.squares) }
      }
    }
  }

  /// The parts' states of one token, joined in order in f64.
  private static func join(
    _ state: UnsafeMutablePointer<Float>, _ width: Int, _ parts: Int, target: Int
  ) -> (lse: Double, picked: Double, entropy: Double, squares: Double) {
    let maxima = (0..<parts).map { Double(state[$0 * 5 * width]) }
    let top = maxima.max() ?? 0
    var (sum, weighted, squares) = (0.0, 0.0, 0.0)
    for part in 0..<parts where maxima[part] > -.infinity {
      let at = state + part * 5 * width
      let shift = maxima[part] - top
      let fade = exp(shift)
      sum += Double(at[width]) * fade
      weighted += (Double(at[2 * width]) + shift * Double(at[width])) * fade
      squares += Double(at[3 * width]) * fade * fade
    }
    let part = target % blockVocabulary / Self.part
    return (
      top + log(sum), Double(state[part * 5 * width + 4 * width]), log(sum) - weighted / sum,
      squares / (sum * sum)
    )
  }

  func linearLogpBackward(_ args: spar_linear_logp_args) throws(ReferenceGap) {
    let (h, weight) = (try Rows(args.h), try StoredRows(args.weight))
    let (lse, coef) = (try Rows(args.lse), try Rows(args.coef))
    let (dh, dweight) = (try Rows(args.dh), try Rows(optional: args.dweight))
    let scale = Float(Reference.factor(args.inv_temperature))
    if args.flags & UInt64(SPAR_ACCUMULATE) == 0 {
      for t in 0..<dh.count { dh[t].update(repeating: 0, count: dh.width) }
    }
    try forEachTokens(args, h) { (tokens) throws(ReferenceGap) in
      let (width, channels) = (tokens.width, weight.width)
      let (totals, coefficients) = (tokens.values(lse), tokens.values(coef))
      let gradient = scratch(tokens.rows.count * channels)
      gradient.zero()
      try forEachLogits(tokens, weight) { (block, part, z) throws(ReferenceGap) in
        parallel(block.count, grain: Self.part) { range in
          k.pointee.vocab_bwd(
            Int64(range.count), Int64(width), scale, Float(args.softcap),
            Int64(block.lowerBound + range.lowerBound), tokens.targets, totals, coefficients,
            z.floats + range.lowerBound * width)
        }
        let dz = Self.view(z, block, tokens)
        try product(
          dz, transposeA: true, part,
          into: FloatView(
            base: gradient.floats, shape: [tokens.rows.count, channels], stride: [channels, 1]),
          beta: 1)
        if dweight.isPresent {
          try product(dz, tokens.view(channels), into: Self.view(dweight, block), beta: 1)
        }
      }
      for (l, t) in tokens.rows.enumerated() {
        k.pointee.add(Int64(channels), gradient.floats + l * channels, dh[t])
      }
    }
  }
}
