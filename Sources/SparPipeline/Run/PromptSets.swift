import SparData
import SparGeneration

/// The training prompts of a run: one set that is split over the iterations, or one for each.
///
/// `{t}` in the name stands for the number of the iteration, as in the published runs, which have
/// a set of prompts for each: `data/iter{t}.parquet`.
public enum PromptSets {
  public static let mark = "{t}"

  public static func hasOneEach(_ prompts: String) -> Bool { prompts.contains(mark) }

  /// The data of iteration t, from 1.
  public static func name(_ prompts: String, iteration t: Int) -> String {
    prompts.replacing(mark, with: "\(t)")
  }

  /// Names of all data, in the order of the iterations.
  static func names(_ run: RunSettings) -> [String] {
    hasOneEach(run.prompts)
      ? (1...run.iterations).map { name(run.prompts, iteration: $0) } : [run.prompts]
  }

  static func read(_ run: RunSettings) throws -> [[Prompt]] {
    try names(run).map { try Prompt.read($0) }
  }

  /// The sets; nil where the files of one are not on this machine.
  static func here(_ run: RunSettings) throws -> [[Prompt]]? {
    do {
      for name in names(run) { _ = try DataMixture(name).files() }
    } catch {
      return nil
    }
    return try read(run)
  }
}
