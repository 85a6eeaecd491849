import SparPipeline

extension ProductShare {
  /// Name and figure: the square product, the share of it, and memory.
  var shareRows: [[String]] {
    [
      ["  sgemm 2048 before, after", "\(Figures.one(sgemmBefore)), \(Figures.one(sgemmAfter))"],
      ["  share of sgemm", Figures.percent(share)],
      ["  peak memory", Figures.scaled(Double(peakMemoryBytes), "B")],
    ]
  }
}
