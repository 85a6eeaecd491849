/// What can go wrong while a ranker is trained, with the evidence.
public enum RankerTrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  case option(key: String, found: String, wanted: String)
  case noPairs(path: String)
  case bootstrap(path: String, prompts: Int, skipped: [String: Int])
  case idPrompt(path: String, prompt: String)
  case row(place: String, problem: String)
  case notFinite(what: String, value: Double, step: Int)
  case resumeMismatch(checkpoint: String, key: String, saved: String, now: String)
  case checkpoint(path: String, problem: String)
  /// A file of kept states.
  case states(path: String, problem: String)
  case cancelled(step: Int, checkpoint: String?)

  public var description: String {
    switch self {
    case .option(let key, let found, let wanted):
      "\(key) is \(found); it must be \(wanted)"
    case .noPairs(let path):
      "\(path) holds no comparison that can be trained on"
    case .bootstrap(let path, let prompts, let skipped):
      "no comparison to train on came of \(prompts) prompts of \(path): "
        + skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        .joined(separator: "; ")
        + "; allow longer answers (bootstrap_max_new_tokens) or give more prompts"
    case .idPrompt(let path, let prompt):
      "prompt \(prompt) of \(path) is token ids, and comparisons are texts; give prompt or messages"
    case .row(let place, let problem):
      "\(place): \(problem)"
    case .notFinite(let what, let value, let step):
      "the \(what) of step \(step) is \(value); lower --learning_rate, or look at the data of that "
        + "step"
    case .resumeMismatch(let checkpoint, let key, let saved, let now):
      "\(checkpoint) was trained with \(key) \(saved), now it is \(now); "
        + "use another --output_dir, or the old setting"
    case .checkpoint(let path, let problem):
      "\(path) \(problem); remove it, or use another --output_dir"
    case .states(let path, let problem):
      "\(path) (states of the transformer): \(problem)"
    case .cancelled(let step, let checkpoint):
      "stopped after step \(step)"
        + (checkpoint.map { "; \($0) is kept, the same command goes on from it" } ?? "")
    }
  }
}
