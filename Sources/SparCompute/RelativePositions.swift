/// Which row of a table of relative positions a distance has, and packed spans that see themselves.
///
/// A row of a span sees the whole span; the distance of query i and key j is i − j.
public struct RelativePositions: Sendable {
  /// Rows by distance −reach ... reach, never decreasing; farther ones have those of the ends.
  public let buckets: [Int32]
  /// Rows of every span, packed.
  public let spans: [Range<Int>]
  /// begin of each span, then length of each.
  let packed: [Int64]

  public init(buckets: [Int32], spans: [Range<Int>]) {
    precondition(buckets.count % 2 == 1, "distances run from -reach to reach")
    precondition(zip(buckets, buckets.dropFirst()).allSatisfy(<=), "rows never decrease")
    self.buckets = buckets
    self.spans = spans
    packed = spans.map { Int64($0.lowerBound) } + spans.map { Int64($0.count) }
  }

  var reach: Int { buckets.count / 2 }
}
