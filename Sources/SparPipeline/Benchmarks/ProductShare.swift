/// A measurement whose rate is compared with that of a square product on the same machine.
public protocol ProductShare {
  /// GFLOP/s of what was measured.
  var rate: Double { get }
  /// GFLOP/s of a square product of 2048 before and after it.
  var sgemmBefore: Double { get }
  var sgemmAfter: Double { get }
  var peakMemoryBytes: Int { get }
}

extension ProductShare {
  /// `rate` as a share of the better of the two product rates: noise lowers a rate, so the better
  /// one is nearer to what the machine can do.
  public var share: Double { rate / max(sgemmBefore, sgemmAfter) }
}
