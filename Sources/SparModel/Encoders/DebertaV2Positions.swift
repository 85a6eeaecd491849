import Foundation

extension DebertaV2Config {
  /// The row of the table of relative positions for query i and key j at distance i − j.
  ///
  /// Near distances have a row each; from `mid`, a quarter of the table, they share rows:
  ///
  ///     bucket(d) = sign(d) (⌈ln(|d| / mid) / ln((max − 1) / mid) (mid − 1)⌉ + mid)
  ///
  /// Computed in f32, as checkpoints were trained: the ceiling may depend on it.
  /// Source: He et al. 2021, arXiv:2111.09543, and its implementation in transformers.
  public func positionRow(_ distance: Int) -> Int {
    let bucket = isLogarithmic ? logarithmicBucket(distance) : distance
    return max(0, min(2 * positionRows - 1, bucket + positionRows))
  }

  private func logarithmicBucket(_ distance: Int) -> Int {
    let mid = positionRows / 2
    guard abs(distance) > mid else { return distance }
    let spread = log(Float(maxRelativePositions - 1) / Float(mid))
    let share = log(Float(abs(distance)) / Float(mid)) / spread * Float(mid - 1)
    return distance.signum() * (Int(share.rounded(.up)) + mid)
  }

  /// Rows for distances −reach ... reach; beyond, those of the ends.
  public var positionBuckets: [Int32] {
    var reach = maxRelativePositions
    while positionRow(reach) < 2 * positionRows - 1 || positionRow(-reach) > 0 { reach *= 2 }
    return (-reach...reach).map { Int32(positionRow($0)) }
  }
}
