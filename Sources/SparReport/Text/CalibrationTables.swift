import SparEvaluation

// Whether the probabilities of a run's own ranker are what they say.
extension ResultTables {
  /// Calibrations, each with the runs that have it: arms that share a ranker share it.
  var calibrated: [(points: [String], calibration: Calibration)] {
    var found: [(points: [String], calibration: Calibration)] = []
    for point in comparison.points {
      guard let calibration = point.result.rankerAccuracy?.calibration else { continue }
      if let place = found.firstIndex(where: { $0.calibration == calibration }) {
        found[place].points.append(point.id)
      } else {
        found.append((points: [point.id], calibration: calibration))
      }
    }
    return found
  }

  var calibration: Table {
    Table(
      head: [
        "run", "comparisons", "Brier score", "log loss", "ECE", "ECE by chance", "temperature",
        "reads", "log loss with it",
      ],
      rows: calibrated.map { points, found in
        [
          points.joined(separator: ", "), "\(found.comparisons)", Self.decimals(found.brier),
          Self.decimals(found.logLoss), Self.percent(found.ece),
          found.eceByChance.map(Figure.percent) ?? "–", found.temperature?.figure ?? "–",
          found.temperature?.words ?? "every P is ½",
          found.temperature.map { Figure.decimals($0.logLoss, 3) } ?? "–",
        ]
      })
  }

  var calibrationBins: Table {
    Table(
      head: ["run", "how sure", "comparisons", "on average", "right"],
      rows: calibrated.flatMap { points, found in
        found.bins.map { bin in
          [
            points.joined(separator: ", "),
            Figure.decimals(100 * bin.lower, 0) + " – "
              + Figure.decimals(100 * bin.upper, 0) + "\u{A0}%",
            "\(bin.count)", Figure.percent(bin.confidence),
            "\(Figure.percent(bin.right)) (\(ReportWords.range(bin.interval)))",
          ]
        }
      })
  }

  private static func decimals(_ figure: Calibration.Figure) -> String {
    let interval = figure.interval
    return "\(Figure.decimals(figure.value, 3)) (\(Figure.decimals(interval.lower, 3)) – "
      + "\(Figure.decimals(interval.upper, 3)))"
  }

  private static func percent(_ figure: Calibration.Figure) -> String {
    "\(Figure.percent(figure.value)) (\(ReportWords.range(figure.interval)))"
  }
}

extension ReportWords {
  var calibration: String {
    "On the diagonal the ranker is right as often as it is sure; below, it is over-confident. "
      + "Larger marks are more comparisons, bars Wilson's 95\u{A0}% intervals. A ranker that always "
      + "says one half has a Brier score of 0.25 and a log loss of 0.693 nats. The calibration "
      + "error (ECE) is above zero by chance alone; the temperature by which its log-odds would "
      + "best be divided is fitted to the same comparisons."
  }
}
