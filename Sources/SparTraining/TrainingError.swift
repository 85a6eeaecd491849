import SparData

/// What can go wrong while training, with the evidence.
public enum TrainingError: Error, Equatable, Sendable {
  case option(key: String, found: String, wanted: String)
  /// A line of a pairs file; lines count from 1.
  case line(path: String, line: Int, problem: String)
  /// A row of stored candidates or preferences.
  case row(path: String, row: Int, problem: String)
  case noPairs(path: String)
  /// Rows without a chosen and a rejected answer.
  case form(path: String, form: String, columns: [String])
  /// The doctor's errors: training on the data would be wrong.
  case unfit(findings: [Finding])
  case filesDisagree(preferences: String, candidates: String, problem: String)
  /// Candidates whose prompts became ids in another way than training's.
  case rendering(path: String, found: String, set: String)
  case nothingToTrain
  case group(index: Int, problem: String)
  /// The objective compares answers and cannot train on single ones.
  case needsPairs(String)
  case missingReference(group: Int)
  case notFinite(what: String, value: Double, step: Int, lastCheckpoint: String?)
  case objective(name: String, problem: String)
  /// A checkpoint of other options than the run's.
  case resumeMismatch(checkpoint: String, key: String, saved: String, now: String)
  case noUsableCheckpoint(folder: String, problems: [String])
  case checkpointTensor(checkpoint: String, tensor: String, problem: String)
  case metricsFile(path: String, problem: String)
  case cancelled(step: Int, checkpoint: String?)
  /// A look at objectives ended after so many prompts.
  case lensCancelled(prompts: Int)
}
