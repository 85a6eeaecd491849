/// Query rows and the keys that they see: first all of `prefix`, then `keys`, causally.
///
/// The ends of queries and keys line up.  One shape of span serves packed training with a prompt
/// shared by its answers, prefill, and decoding against a cache.
public struct AttentionSpan: Equatable, Sendable {
  public var queries: Range<Int>
  public var prefix: Range<Int>
  public var keys: Range<Int>

  public init(queries: Range<Int>, prefix: Range<Int> = 0..<0, keys: Range<Int>) {
    self.queries = queries
    self.prefix = prefix
    self.keys = keys
  }
}

/// The spans of one call, as the ABI wants them: six parallel arrays.
public struct AttentionSpans: Sendable {
  public let spans: [AttentionSpan]
  let packed: [Int64]

  public init(_ spans: [AttentionSpan]) {
    self.spans = spans
    var packed = [Int64]()
    packed.reserveCapacity(spans.count * 6)
    for span in spans { packed.append(Int64(span.queries.lowerBound)) }
    for span in spans { packed.append(Int64(span.queries.count)) }
    for span in spans { packed.append(Int64(span.keys.lowerBound)) }
    for span in spans { packed.append(Int64(span.keys.count)) }
    for span in spans { packed.append(Int64(span.prefix.lowerBound)) }
    for span in spans { packed.append(Int64(span.prefix.count)) }
    self.packed = packed
  }
}
