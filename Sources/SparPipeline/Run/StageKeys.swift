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
  /// The ranker that the run trains, alone; nil where it trains none.
  let trained: StageKey?
  /// Other rankers that judge held-out answers, by name.
  let checks: [String: StageKey]
  /// Digest of what a ranker's comparisons are made of, or of the data set of comparisons.
  let comparisons: String
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

  /// Comparisons for a ranker, made of answers of `model`.
  func bootstrap(model: String) -> StageKey {
    var key = StageKey(["seed": "\(recipe.run.seed)", "model": model])
    key.add(
      rows, under: "train_ranker.bootstrap",
      except: ["train_ranker.bootstrap", "train_ranker.bootstrap_count"])
    key.add(rows, under: "train_ranker.derail_temperature")
    key.add(rows, under: "train_ranker.heldout_share")
    key["prompts"] = comparisons
    return key
  }

  func rankerTraining(model: String, comparisons: String?) -> StageKey {
    var key = StageKey(["seed": "\(recipe.run.seed)", "model": model])
    key.add(
      rows.filter { !$0.name.contains("bootstrap") }, under: "train_ranker.",
      except: [
        "train_ranker.model", "train_ranker.dataset", "train_ranker.derail_temperature",
        "train_ranker.save_steps",
      ])
    key["comparisons"] = comparisons
    return key
  }

  func rankerAccuracy(trained digest: String?, comparisons: String?) -> StageKey {
    var key = trained ?? StageKey()
    key["trained_ranker"] = digest
    key["comparisons"] = comparisons
    key["train_ranker.heldout_share"] = "\(recipe.trainRanker.bootstrapping.heldoutShare)"
    key["evaluate.resamples"] = "\(recipe.evaluate.resamples)"
    key["seed"] = "\(recipe.run.seed)"
    // Left out where it is as ever, so that finished stages stay valid.
    if recipe.rank.rule != .meanOfOrders {
      key["rank.probability_rule"] = recipe.rank.rule.rawValue
    }
    return key
  }

  /// - Parameter trained: identity of the ranker that the run has trained; nil = none.
  func ranking(candidates: String?, trained: String?) -> StageKey {
    var key = ranker
    key["trained_ranker"] = trained
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

  /// - Parameter check: another ranker than the run's; nil = that one.
  func evaluation(
    policy: String?, base: String?, trained: String?, check: String? = nil
  ) -> StageKey {
    var key = check.map { checks[$0] ?? StageKey() } ?? ranker
    if check == nil { key["trained_ranker"] = trained }
    key["rank.probability_rule"] = recipe.rank.rule.rawValue
    key["evaluate.resamples"] = "\(recipe.evaluate.resamples)"
    key["seed"] = "\(recipe.run.seed)"
    key["heldout"] = policy
    key["base"] = base
    return key
  }

  /// Parts that name inputs by what they hold: they change when an earlier stage is made again.
  static let inputs: Set = [
    "model", "candidates", "preferences", "heldout", "base", "comparisons", "trained_ranker",
  ]
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
