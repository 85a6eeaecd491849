extension TrainingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .option(let key, let found, let wanted):
      return "\(TrainingOptions.setting(key)) is \(found); it must be \(wanted)"
    case .line(let path, let line, let problem):
      return "\(path), line \(line): \(problem)"
    case .row(let path, let row, let problem):
      return "\(path), row \(row): \(problem)"
    case .noPairs(let path):
      return "\(path) has no pair to train on; rank with other filters or generate more answers"
    case .form(let path, let form, let columns):
      return "\(path) holds \(form) (columns \(columns.joined(separator: ", "))), training needs a "
        + "chosen and a rejected answer in each row; name the columns with "
        + "--column chosen=NAME,rejected=NAME"
    case .unfit(let findings):
      let list = findings.map { finding in
        let place = finding.rows.first.map { ", first \($0)" } ?? ""
        let detail = finding.detail.map { " (\($0))" } ?? ""
        return "  \(finding.name.rawValue): \(finding.meaning)\(detail), \(finding.count) "
          + (finding.count == 1 ? "row" : "rows") + "\(place); \(finding.cure)"
      }
      return "training on these data would be wrong:\n" + list.joined(separator: "\n")
    case .filesDisagree(let preferences, let candidates, let problem):
      return "\(preferences) was not made from \(candidates): \(problem); "
        + "re-run spar rank on these candidates"
    case .rendering(let path, let found, let set):
      return "\(path) was made with --render \(found), and training is set to \(set); "
        + "give --render \(found), or generate and rank anew with \(set)"
    case .nothingToTrain:
      return "there is no group to train on"
    case .group(let index, let problem):
      return "training group \(index): \(problem)"
    case .needsPairs(let objective):
      return "\(objective) compares answers and has no target for a single one; "
        + "pairing must be best-worst or all-pairs, not all-answers"
    case .missingReference(let group):
      return "training group \(group) has no reference log-probabilities, but the objective needs "
        + "them; let the trainer compute them (computeReference)"
    case .notFinite(let what, let value, let step, let checkpoint):
      let kept = checkpoint.map { "; the newest checkpoint is \($0)" } ?? ""
      return "the \(what) of step \(step) is \(value), so no update was made\(kept); "
        + "try a lower learning rate, max_grad_norm 1, or another beta"
    case .objective(let name, let problem):
      return "objective \(name): \(problem)"
    case .resumeMismatch(let checkpoint, let key, let saved, let now):
      return "\(checkpoint) was trained with \(TrainingOptions.setting(key)) = \(saved), "
        + "this run has \(now); "
        + "use the same value, or another output folder"
    case .noUsableCheckpoint(let folder, let problems):
      return "no checkpoint in \(folder) can be resumed: " + problems.joined(separator: "; ")
        + "; remove them to start anew"
    case .checkpointTensor(let checkpoint, let tensor, let problem):
      return "\(checkpoint): tensor \(tensor) \(problem)"
    case .metricsFile(let path, let problem):
      return "\(path): \(problem)"
    case .lensCancelled(let prompts):
      return "the lens was stopped after \(prompts) prompts"
    case .cancelled(let step, let checkpoint):
      return "training was cancelled after step \(step)"
        + (checkpoint.map { "; resume from \($0)" } ?? "")
    }
  }
}

extension TrainingOptions {
  private static let names = [
    "optimizer": "optim", "alpha": "rmsprop_alpha", "beta1": "adam_beta1", "beta2": "adam_beta2",
    "epsilon": "adam_epsilon", "schedule": "lr_scheduler_type", "epochs": "num_train_epochs",
    "perDeviceBatch": "per_device_train_batch_size",
    "accumulationSteps": "gradient_accumulation_steps", "truncation": "truncation_mode",
    "rendering": "render", "dataSeed": "train_seed",
  ]

  /// A field under the name that users set it by: `max_grad_norm` of `maxGradNorm`.
  static func setting(_ field: String) -> String {
    if let name = names[field] { return name }
    return field.reduce(into: "") { name, letter in
      name += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
    }
  }
}
