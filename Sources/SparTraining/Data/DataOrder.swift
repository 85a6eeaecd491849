import SparTensor

/// Which groups each optimizer step trains on.
///
/// Every epoch is a permutation of its own, named by (seed, epoch): nothing has to be remembered to
/// go on from any step.  The last step of an epoch may be smaller; no group is dropped.
public struct DataOrder: Equatable, Sendable {
  public let groups: Int
  public let batchSize: Int
  public let seed: UInt64
  public let shuffle: Bool

  public init(groups: Int, batchSize: Int, seed: UInt64, shuffle: Bool = true) {
    precondition(groups > 0 && batchSize > 0, "\(groups) groups in batches of \(batchSize)")
    self.groups = groups
    self.batchSize = batchSize
    self.seed = seed
    self.shuffle = shuffle
  }

  public var stepsPerEpoch: Int { (groups + batchSize - 1) / batchSize }

  /// Steps of `epochs` passes over the data, rounded up.
  public func steps(epochs: Double) -> Int {
    Int((epochs * Double(stepsPerEpoch)).rounded(.up))
  }

  /// Group numbers of step `step`, counted from 0.
  public func batch(_ step: Int) -> ArraySlice<Int> {
    let (epoch, place) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    let first = place * batchSize
    return order(epoch: epoch)[first..<min(first + batchSize, groups)]
  }

  /// Groups that `steps` steps consume, counting every epoch anew.
  public func position(_ steps: Int) -> Int {
    let (epochs, place) = steps.quotientAndRemainder(dividingBy: stepsPerEpoch)
    return epochs * groups + min(place * batchSize, groups)
  }

  private func order(epoch: Int) -> [Int] {
    guard shuffle else { return Array(0..<groups) }
    var random = Random(seed: seed, stage: .shuffle, iteration: epoch)
    return random.permutation(groups)
  }
}
