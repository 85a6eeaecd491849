import SparText

/// SPPO's column `probability`: how often each of K answers beats each other, K×K.
///
/// The published code stores win probabilities P in it, or for GPO their log-odds W.  The diagonal,
/// an answer against itself, tells them apart: it is ½ in the one and 0 in the other.
public struct ProbabilityTable: Equatable, Sendable {
  public var isLogOdds: Bool
  /// Row-major, as they stand in the file.
  public var values: [Double]

  /// Why a value is no such table.
  public struct Problem: Error, Equatable {
    public var what: String
    public var cure = ""
  }

  public init(_ node: JSONNode?, count: Int) throws(Problem) {
    guard let rows = node?.array, rows.count == count,
      rows.allSatisfy({ $0.array?.count == count })
    else { throw Problem(what: "probability must be a table of \(count) rows and columns") }
    let cells = rows.flatMap { $0.array ?? [] }
    let values = cells.map { $0.double ?? .nan }
    let diagonal = (0..<count).map { values[$0 * count + $0] }
    self.values = values
    isLogOdds = diagonal.allSatisfy { $0 == 0 }
    if isLogOdds {
      guard values.allSatisfy(\.isFinite) else {
        throw Problem(what: "probability holds a number that is not finite")
      }
      try checkLogOdds(count)
    } else if let at = values.firstIndex(where: { !(0...1).contains($0) }) {
      throw Problem(
        what: "probability holds \(JSONWriter.text(cells[at])), a probability is from 0 to 1",
        cure: "log-odds (the scores of GPO) have a diagonal of 0, this table's is \(diagonal[0])")
    }
  }

  /// W(i, j) = -W(j, i), but for the rounding of f32.
  private func checkLogOdds(_ count: Int) throws(Problem) {
    for i in 0..<count {
      for j in 0..<i {
        let (above, below) = (values[j * count + i], values[i * count + j])
        guard abs(above + below) <= 1e-4 * max(1, abs(above)) else {
          throw Problem(
            what: "probability has \(above) for answer \(j) against \(i), and \(below) the other "
              + "way round",
            cure: "its diagonal is 0, so these are log-odds, which differ in sign only; "
              + "win probabilities have a diagonal of 0.5")
        }
      }
    }
  }
}
