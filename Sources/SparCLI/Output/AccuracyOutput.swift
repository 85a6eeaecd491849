import SparEvaluation

extension Terminal {
  /// The figures of a ranker: its accuracy, then its calibration, each figure on a line.
  static func show(_ found: RankerAccuracyReport) throws {
    for text in columns(found.rows) { try line(text) }
    guard let calibration = found.calibration else { return }
    try line(found.calibrationTitle)
    for text in columns((calibration.rows + calibration.binRows).map { ["  " + $0[0], $0[1]] }) {
      try line(text)
    }
  }
}
