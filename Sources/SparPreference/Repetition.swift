/// How much an answer repeats itself.
public enum Repetition {
  /// The share of an answer's runs of `n` tokens that occurred in it before: 0 for text that never
  /// repeats (or has fewer than n tokens), towards 1 for a loop.
  /// Source: "rep-n" of Welleck et al. 2020, arXiv:1908.04319, §6.
  public static func rate(_ ids: some Collection<Int32>, n: Int = 4) -> Double {
    let ids = Array(ids)
    guard ids.count >= n else { return 0 }
    let runs = ids.count - n + 1
    let distinct = Set((0..<runs).map { ids[$0..<($0 + n)] }).count
    return Double(runs - distinct) / Double(runs)
  }
}
