/// Repeated measurements as their least, middle and greatest value.
struct Spread: Encodable, Equatable {
  var min: Double
  var median: Double
  var max: Double

  init(_ values: [Double]) {
    precondition(!values.isEmpty, "nothing was measured")
    let sorted = values.sorted()
    min = sorted[0]
    max = sorted[sorted.count - 1]
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// "128 (120 – 140)"
  var text: String {
    "\(Figures.one(median)) (\(Figures.one(min)) – \(Figures.one(max)))"
  }
}
