extension ObjectiveResult {
  /// All zeros, to be filled in: for objectives that are written in an embedding program.
  public init(zerosFor batch: ObjectiveBatch, metrics: Int = 0) {
    self.init(
      loss: Array(repeating: 0, count: batch.logp.count),
      dlogp: Array(repeating: 0, count: batch.logp.count), dtokLogp: nil,
      metricSum: Array(repeating: 0, count: metrics),
      metricWeight: Array(repeating: 0, count: metrics))
  }
}
