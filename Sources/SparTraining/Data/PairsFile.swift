import Foundation
import SparData
import SparText

/// Pairs from data files of any form that has them: see `DataForm` and docs/data.md.
///
///     {"prompt": "Once", "chosen": " upon a time", "rejected": " more"}
///     {"prompt": [{"role": "user", "content": "Hi"}], "chosen": [{...}], "rejected": [{...}]}
///     {"prompt_ids": [1, 5], "chosen_ids": [7, 2], "rejected_ids": [9, 2]}
///
/// `messages` is another name of a conversational prompt.  Answers may be texts, or conversations
/// that end with the assistant's turn; where such a conversation holds the prompt, no other is
/// needed, and a `prompt` text beside it is not used (UltraFeedback's layout).
///
/// `chosen_probs` is P(chosen beats rejected), `chosen_probs_win` and `chosen_probs_lose` are the
/// mean win rates of the two.  Without any, the label is taken as certain: 1, 1 and 0.
/// `ref_chosen_logps` and `ref_rejected_logps` are sums under the reference.  Any other number
/// becomes a column for objectives.
public enum PairsFile {
  public static func read(
    _ path: String, encoder: (any PairEncoder)?, options: TrainingOptions = TrainingOptions()
  ) throws -> [TrainingGroup] {
    try read(PairsSource(mixture: DataMixture(path)), encoder: encoder, options: options).groups
  }

  /// The groups, and what each source gave.
  public static func read(
    _ source: PairsSource, encoder: (any PairEncoder)?, options: TrainingOptions
  ) throws -> (groups: [TrainingGroup], counts: [MixtureReader.Count]) {
    let truncation = SequenceTruncation(options, beginID: encoder?.beginID)
    // Whether broken text may be trained on is between the user and the doctor.
    let reader = MixtureReader(
      source.mixture, mapping: source.mapping, takesBrokenText: true)
    var groups: [TrainingGroup] = []
    do {
      while let (row, form) = try reader.nextWithForm() {
        guard form.hasPairs else {
          throw TrainingError.form(
            path: row.place.path, form: form.rawValue, columns: reader.columns)
        }
        let pair = try PairRow(
          row, form: form, encoder: encoder, readsLogOdds: source.readsLogOdds)
        var group = try pair.group(options.pairing)
        group.row = groups.count
        if let problem = truncation.apply(to: &group) { throw row.error(problem) }
        groups.append(group)
      }
    } catch let error as DataError {
      throw TrainingError(error) ?? error
    }
    if groups.isEmpty { throw TrainingError.noPairs(path: source.name) }
    return (groups, reader.counts)
  }
}

/// Where pairs come from.
public struct PairsSource: Equatable, Sendable {
  public var mixture: DataMixture
  public var mapping: ColumnMapping
  /// Whether `chosen_probs` and its fellows are log-odds, as in the published code's data for GPO.
  public var readsLogOdds: Bool

  public init(
    mixture: DataMixture, mapping: ColumnMapping = ColumnMapping(), readsLogOdds: Bool = false
  ) {
    self.mixture = mixture
    self.mapping = mapping
    self.readsLogOdds = readsLogOdds
  }

  /// For messages.
  public var name: String { mixture.sources.map(\.path).joined(separator: ", ") }
}

extension TrainingError {
  /// An error about a row, as training tells it; nil where it is about none.
  public init?(_ error: DataError) {
    guard let row = error.row else { return nil }
    switch row.unit {
    case .line: self = .line(path: row.path, line: row.number, problem: error.problem)
    case .row: self = .row(path: row.path, row: row.number, problem: error.problem)
    }
  }
}
