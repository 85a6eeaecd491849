import ArgumentParser
import SparModel
import SparPipeline

/// How a model that only infers keeps its weights.
struct WeightsOption: ParsableArguments {
  @Option(
    help: """
      Matrices in memory: f32, stored (as they lie in the file, mapped; other types than f32, f16, \
      bf16, Q8_0, Q4_0, Q4_1 are expanded; HDF5 checkpoints refuse it), q8_0 (rounded to Q8_0 as \
      the model is loaded; what is in 8 or 4 bits already stays), or auto: stored where that can \
      be, for a model whose f32 weights would take more than a third of the machine's memory. \
      (default: auto)
      """)
  var weights: WeightsPolicy?

  var policy: WeightsPolicy { weights ?? .auto }

  /// - Throws: `UsageError` where `--weights` is given and the ranker runs no model here.
  func requireEffect(on runtime: Runtime, ranker: String) throws {
    guard weights != nil, !runtime.lendsModels else { return }
    throw UsageError(
      "--weights says how a model is kept in memory, and ranker \(ranker) runs none here",
      hint: "leave it out")
  }
}

extension WeightsPolicy: ExpressibleByArgument {}
