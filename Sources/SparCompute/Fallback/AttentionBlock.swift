import CSparKernels
import CSparPlugin

/// q, k, v and the rest of attention's tensors as heads: [T, H, D].
struct HeadRows {
  let base: UnsafeMutablePointer<Float>
  let heads: Int
  let size: Int
  let row: Int
  let head: Int

  init(_ tensor: UnsafePointer<spar_tensor>?) throws(ReferenceGap) {
    guard let view = tensor?.pointee, view.dtype == Int32(SPAR_F32), view.rank == 3,
      let data = view.data
    else { throw ReferenceGap(what: "attention on other than f32 [T, H, D] in host memory") }
    base = data.assumingMemoryBound(to: Float.self)
    (heads, size) = (Int(view.shape.1), Int(view.shape.2))
    (row, head) = (Int(view.stride.0), Int(view.stride.1))
  }

  func at(_ t: Int, _ h: Int) -> UnsafeMutablePointer<Float> { base + t * row + h * head }

  /// `count` rows from `t` as [groups, share, count, D]; with `shared`, H = groups and every member
  /// of a group sees the same head.
  func batch(_ t: Int, _ count: Int, groups: Int, share: Int, shared: Bool) -> FloatView {
    FloatView(
      base: base + t * row, shape: [groups, share, count, size],
      stride: [shared ? head : share * head, shared ? 0 : head, row, 1])
  }

  /// `count` rows from `t` of the heads g, g + share, ...: [groups, count, D].
  func member(_ g: Int, _ t: Int, _ count: Int, groups: Int, share: Int) -> FloatView {
    FloatView(
      base: base + t * row + g * head, shape: [groups, count, size],
      stride: [share * head, row, 1])
  }
}

/// Some consecutive queries of one span, and the keys that any of them sees.
///
/// Keys count in the order prefix, own; `first` and `end` bound what each query sees of them.
struct AttentionBlock {
  let query: Int
  let count: Int
  /// Rows of k and v that hold the keys, in order: at most two runs.
  private(set) var runs: [(row: Int, at: Int, count: Int)] = []
  let keys: Int
  /// Per query, counted from the first key of the block; beyond `count`, nothing is seen.
  private(set) var first: [Int32]
  private(set) var end: [Int32]

  /// Queries `range` of span `s`, in arrays padded to `width`.
  init(_ args: spar_attention_args, span s: Int, range: Range<Int>, width: Int) {
    func value(_ array: UnsafePointer<Int64>?) -> Int { array.map { Int($0[s]) } ?? 0 }
    let (queries, own) = (value(args.q_len), value(args.k_len))
    let prefix = args.prefix_begin == nil ? 0 : value(args.prefix_len)
    let causal = args.flags & UInt64(SPAR_CAUSAL) != 0
    let ends = range.map { i in
      prefix + (causal ? max(0, min(own, own - queries + i + 1)) : own)
    }
    let firsts = ends.map { args.window > 0 ? max(0, $0 - Int(args.window)) : 0 }
    let low = firsts.min() ?? 0
    let high = max(ends.max() ?? 0, low)
    query = value(args.q_begin) + range.lowerBound
    count = range.count
    keys = high - low
    let padding = [Int32](repeating: 0, count: width - range.count)
    first = firsts.map { Int32($0 - low) } + padding
    end = ends.map { Int32($0 - low) } + padding
    if low < min(prefix, high) {
      runs.append((value(args.prefix_begin) + low, 0, min(prefix, high) - low))
    }
    if high > max(prefix, low) {
      let from = max(prefix, low)
      runs.append((value(args.k_begin) + from - prefix, from - low, high - from))
    }
  }

  /// Calls `body` with the kernels' description of the block.
  func columns(
    _ args: spar_attention_args, width: Int, _ body: (UnsafePointer<spar_columns>) -> Void
  ) {
    first.withUnsafeBufferPointer { first in
      end.withUnsafeBufferPointer { end in
        var columns = spar_columns(
          keys: Int64(keys), width: Int64(width), first: first.baseAddress, end: end.baseAddress,
          scale: Float(args.scale), softcap: Float(args.softcap))
        body(&columns)
      }
    }
  }
}
