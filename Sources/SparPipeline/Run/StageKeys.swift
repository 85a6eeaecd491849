import SparHost
import SparModel
import SparStore

/// What each stage of a run depends on, given the identities of its inputs.
///
/// An input's identity is the digest of what it holds (keys of a ledger), or its address (plans,
/// which know no contents yet).
struct StageKeys {
  let recipe: Recipe
  let rows: [ResolvedRecipe.Row]
  let ranker: StageKey
  let objective: StageKey
  /// Digests of each iteration's prompts, and of the held-out ones.
  let prompts: [String]
  let heldout: String

  /// Settings of sampling; how many are decoded together changes nothing.
  private var sampling: StageKey {
    var key = StageKey(["seed": "\(recipe.run.seed)"])
    key.add(rows, under: "generate.", except: ["generate.batch_size"])
    // Left out where it is as ever, so that finished stages stay valid.
    if recipe.render != .exact { key["render"] = recipe.render.rawValue }
    return key
  }

  /// - Parameter t: counts from 1.
  func generation(model: String, iteration t: Int) -> StageKey {
    var key = sampling
    key["model"] = model
    key["prompts"] = prompts[t - 1]
    return key
  }

  func heldout(model: String) -> StageKey {
    var key = sampling
    key["generate.pairs"] = nil
    key["evaluate.pairs"] = "\(recipe.evaluate.pairs)"
    key["model"] = model
    key["evaluate.prompts"] = heldout
    return key
  }

  func ranking(candidates: String?) -> StageKey {
    var key = ranker
    key.add(rows, under: "rank.")
    key["candidates"] = candidates
    return key
  }

  func training(model: String, candidates: String?, preferences: String?) -> StageKey {
    var key = objective
    // What is logged and kept may change at any time; the seed below is the one that counts.
    key.add(
      rows, under: "train.",
      except: [
        "train.logging_steps", "train.save_steps", "train.save_total_limit", "train.seed",
      ])
    key["seed"] = "\(recipe.trainingSeed)"
    if recipe.render != .exact { key["render"] = recipe.render.rawValue }
    key["model"] = model
    key["candidates"] = candidates
    key["preferences"] = preferences
    return key
  }

  func evaluation(policy: String?, base: String?) -> StageKey {
    var key = ranker
    key["rank.probability_rule"] = recipe.rank.rule.rawValue
    key["evaluate.resamples"] = "\(recipe.evaluate.resamples)"
    key["seed"] = "\(recipe.run.seed)"
    key["heldout"] = policy
    key["base"] = base
    return key
  }

  /// Parts that name inputs by what they hold: they change when an earlier stage is made again.
  static let inputs: Set = ["model", "candidates", "preferences", "heldout", "base"]
}

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

  /// A ranker's, or those of all rankers of a mix and their weights.
  static func ranker(_ choice: PluginChoice, host: PluginHost) throws -> StageKey {
    guard choice.isMix else { return try component(.ranker, choice, host: host) }
    var key = StageKey(["ranker.name": choice.name])
    for part in try choice.rankers() {
      for (name, value) in try component(.ranker, part.choice, host: host).parts {
        key["\(part.choice.name).\(name)"] = value
      }
    }
    return key
  }

  func merging(_ other: StageKey) -> StageKey {
    StageKey(parts.merging(other.parts) { _, theirs in theirs })
  }
}
