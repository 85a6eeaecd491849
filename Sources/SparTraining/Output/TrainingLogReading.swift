extension TrainingLogEntry {
  /// The lines of a metrics.jsonl, in order; [] when there is no such file.  A last line without
  /// its end is being written, or is what a killed run left, and is not read.
  /// - Throws: `TrainingError.metricsFile` for a line that is none of the log.
  public static func read(_ path: String) throws -> [TrainingLogEntry] {
    try MetricsLog.read(path)
  }
}
