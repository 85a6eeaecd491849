import SparText

/// What became of a comparison.
public enum ComparisonOutcome: Equatable, Sendable {
  case added
  /// The prompt or an answer was cut at its end.
  case truncated
  /// The prompt alone fills the limit.
  case promptTooLong
  /// Both answers are the same ids.
  case identical
}

/// Turns comparisons into what a ranker of some kind reads.
public protocol ComparisonEncoder {
  /// Adds one comparison to `data`.
  ///
  /// - Throws: `RankerTrainingError.row`, or an error of the chat template, where the conversation
  ///   cannot be read.
  func add(
    prompt: [ChatMessage], chosen: String, rejected: String, probability: Double, margin: Double,
    place: String, to data: inout RankerData
  ) throws -> ComparisonOutcome
}
