/// A run that cannot start or go on.
public enum RunError: Error, Equatable, Sendable, CustomStringConvertible {
  case folder(path: String, reason: String)
  case settingsChanged(stage: String, folder: String, changes: [StageKey.Change])
  case foreignOutput(stage: String, file: String, ledger: String)
  case outputLost(stage: String, file: String, problem: String)
  case ledger(path: String, problem: String)
  case tooFewPrompts(path: String, found: Int, needed: Int)
  case idPrompt(path: String, id: String)
  case samePrompts(heldout: String, training: String, example: String, count: Int)
  case backend(name: String, known: [String])
  case restart(text: String)
  case until(text: String, known: [String])
  case busy(folder: String)
  case noPairs(folder: String, prompts: Int)
  case interrupted(resume: String)

  public var description: String {
    switch self {
    case .folder(let path, let reason): return "cannot use the folder \(path): \(reason)"
    case .settingsChanged(let stage, let folder, let changes):
      let shown = changes.prefix(6).map(\.description).joined(separator: "; ")
      let more = changes.count > 6 ? "; and \(changes.count - 6) more" : ""
      return "\(folder) holds a \(stage) stage made with other settings: \(shown)\(more)"
    case .foreignOutput(let stage, let file, let ledger):
      return "\(file) exists, but \(ledger) does not say how \(stage) made it"
    case .outputLost(let stage, let file, let problem):
      return "\(stage) was finished, but \(file) \(problem)"
    case .ledger(let path, let problem): return "\(path): \(problem)"
    case .tooFewPrompts(let path, let found, let needed):
      return "\(path) has \(found) prompts, the run needs \(needed)"
    case .idPrompt(let path, let id):
      return "prompt \(id) of \(path) is token ids; a run ranks answers, and rankers read texts"
    case .samePrompts(let heldout, let training, let example, let count):
      return "\(count) prompts of \(heldout) are in \(training), too, such as \"\(example)\": "
        + "held-out prompts must be new to the model"
    case .backend(let name, let known):
      return "there is no backend \"\(name)\"; known: \(known.joined(separator: ", "))"
    case .restart(let text):
      return "--restart-from \(text): give ranker, a stage, or iteration/stage such as 2/train; "
        + "stages: " + RunStage.allCases.map(\.rawValue).joined(separator: ", ")
    case .until(let text, let known):
      return "--until \(text): give a stage, or iteration/stage such as 2/train; stages: "
        + known.joined(separator: ", ")
    case .busy(let folder): return "another process is working in \(folder)"
    case .noPairs(let folder, let prompts):
      return "\(folder): none of \(prompts) prompts gave a pair to train on"
    case .interrupted: return "interrupted"
    }
  }

  /// What to do about it.
  public var hint: String? {
    switch self {
    case .folder: return "choose another --output_dir, or change the folder's owner or mode"
    case .settingsChanged(_, let folder, _) where folder.hasSuffix("/base"):
      return "undo the change, or start anew with another --output_dir"
    case .settingsChanged(let stage, let folder, _):
      return "undo the change, start anew with another --output_dir, or throw away this stage and "
        + "those after it with --restart-from \(Self.place(folder, stage))"
    case .foreignOutput(let stage, let file, _):
      return "remove the file, or choose another --output_dir, or --restart-from "
        + Self.place(file, stage)
    case .outputLost(let stage, let file, _):
      return "make it again with --restart-from \(Self.place(file, stage))"
    case .ledger: return "choose another --output_dir"
    case .tooFewPrompts: return "lower iterations or prompts_per_iteration, or add prompts"
    case .idPrompt: return "give prompt or messages in place of prompt_ids"
    case .samePrompts: return "remove them from one of the files"
    case .backend: return "`spar plugin list` shows what was found and what was skipped"
    case .restart, .until: return nil
    case .busy: return "wait for it to end, or choose another --output_dir"
    case .noPairs:
      return "see what the ranker does with `spar inspect`; raise generate.pairs or the temperature"
    case .interrupted(let resume): return resume
    }
  }

  /// "2/rank" of ".../iteration-2/...", as --restart-from wants it.
  private static func place(_ path: String, _ name: String) -> String {
    if RunTarget.ofRanker.contains(name) { return "ranker" }
    // Held-out answers belong to the stage that judges them.
    let stage = RunStage(rawValue: name) ?? .evaluate
    for part in path.split(separator: "/").reversed() where part.hasPrefix("iteration-") {
      return part.dropFirst("iteration-".count) + "/" + stage.rawValue
    }
    return stage.rawValue
  }
}
