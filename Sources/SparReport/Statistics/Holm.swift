/// Holm's step-down correction for several tests.
///
/// The chance that any true null hypothesis is rejected stays below the level that corrected
/// values are compared with, whatever depends on what.
/// Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian
/// Journal of Statistics 6(2).
enum Holm {
  /// Corrected p-values in the order of `values`.
  static func correct(_ values: [Double]) -> [Double] {
    var corrected = values
    var greatest = 0.0
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    for (rank, place) in order.enumerated() {
      greatest = max(greatest, min(1, Double(values.count - rank) * values[place]))
      corrected[place] = greatest
    }
    return corrected
  }
}
