import SparTraining

/// The log of a training run as a table, under TRL's names; all of it is in metrics.jsonl.
enum MetricsTable {
  static let columns = [
    "loss", "grad_norm", "learning_rate", "rewards/chosen", "rewards/rejected", "rewards/margins",
    "rewards/accuracies", "logps/chosen", "logps/rejected",
  ]

  /// One line per logged step under a line of names; nothing for an empty log.
  static func lines(_ history: [TrainingLogEntry]) -> [String] {
    let rows = history.map { entry in
      ["\(entry.step)"]
        + columns.map { column in entry.values[column].map { Figures.short($0) } ?? "–" }
    }
    guard !rows.isEmpty else { return [] }
    return Terminal.columns([["step"] + columns] + rows)
  }
}
