import SparHost
import SparModel
import SparStore

// What each stage of a run depends on.
extension StageKey {
  /// A plugin's id, its options with defaults, and the digest of its library.
  static func component(
    _ kind: PluginKind, _ choice: PluginChoice, host: PluginHost
  ) throws -> StageKey {
    let component = try host.component(kind, choice.name)
    var key = StageKey(["\(kind).name": component.id])
    for (name, value) in try host.checkedOptions(kind, choice) {
      key["\(kind).\(name.replacing("-", with: "_"))"] = value
    }
    key["\(kind).version"] = component.library.version
    if let path = component.library.path { key["\(kind).library"] = try fileDigest(path) }
    return key
  }

  func merging(_ other: StageKey) -> StageKey {
    StageKey(parts.merging(other.parts) { _, theirs in theirs })
  }
}

extension SelfPlayRun {
  /// Settings of sampling; how many are decoded together changes nothing.
  private var samplingKey: StageKey {
    var key = StageKey(["seed": "\(recipe.run.seed)"])
    key.add(resolved.rows, under: "generate.", except: ["generate.batch_size"])
    return key
  }

  func generationKey(_ policy: LanguageModel, iteration t: Int) throws -> StageKey {
    var key = samplingKey
    key["model"] = policy.digest
    key["prompts"] = try slices.slices[t - 1].digest()
    return key
  }

  func heldoutKey(_ policy: LanguageModel) throws -> StageKey {
    var key = samplingKey
    key["generate.pairs"] = nil
    key["evaluate.pairs"] = "\(recipe.evaluate.pairs)"
    key["model"] = policy.digest
    key["evaluate.prompts"] = try heldout.digest()
    return key
  }

  func rankingKey(candidates: StageLedger.Record) -> StageKey {
    var key = rankerKey
    key.add(resolved.rows, under: "rank.")
    key["candidates"] = candidates.outputDigest
    return key
  }

  func trainingKey(
    _ policy: LanguageModel, candidates: StageLedger.Record, preferences: StageLedger.Record
  ) -> StageKey {
    var key = objectiveKey
    // What is logged and kept may change at any time.
    key.add(
      resolved.rows, under: "train.",
      except: ["train.logging_steps", "train.save_steps", "train.save_total_limit"])
    key["seed"] = "\(recipe.run.seed)"
    key["model"] = policy.digest
    key["candidates"] = candidates.outputDigest
    key["preferences"] = preferences.outputDigest
    return key
  }

  func evaluationKey(policy: String?, base: String?) -> StageKey {
    var key = rankerKey
    key["rank.probability_rule"] = recipe.rank.rule.rawValue
    key["evaluate.resamples"] = "\(recipe.evaluate.resamples)"
    key["seed"] = "\(recipe.run.seed)"
    key["heldout"] = policy
    key["base"] = base
    return key
  }
}
