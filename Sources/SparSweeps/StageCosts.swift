import Foundation
import SparPipeline

/// Seconds that stages take: measured where stages of the kind have run, else reckoned from the
/// machine's rate of matrix products.
///
/// A token that passes through a model of N parameters costs 2·N operations.  The shares of the
/// product's rate that stages reach are those of docs/performance.md (135 million parameters, two
/// cores); answers are taken to reach `generate.max_new_tokens`, so that the estimate errs upwards.
public struct StageCosts: Sendable {
  /// Seconds of one thread for work × parameters of 1, by stage.
  private var rates: [String: Double] = [:]
  /// Of all threads, in operations per second; nil as long as nobody measured it.
  private let productRate: Double?
  private let threads: Int
  /// Stages that were measured.
  public private(set) var measured: Set<String> = []

  /// Starting a process and reading a model, for each parameter.
  private static let startup = 1e-8

  /// - Parameters:
  ///   - entries: finished stages of earlier runs.
  ///   - threads: how many there are for the whole sweep.
  ///   - productRate: measured only if some stage of the sweep was never measured.
  public init(
    _ entries: [StageStore.Entry], stages: Set<String>, threads: Int,
    productRate: () throws -> Double
  ) rethrows {
    self.threads = threads
    for (stage, found) in Dictionary(grouping: entries, by: \.address.stage) {
      let work = found.reduce(0) { $0 + $1.work * $1.parameters }
      let seconds = found.reduce(0) { $0 + $1.seconds * Double($1.threads) }
      guard work > 0, seconds > 0 else { continue }
      rates[stage] = seconds / work
      measured.insert(stage)
    }
    let isKnown = stages.isSubset(of: measured)
    self.productRate = isKnown ? nil : try productRate()
  }

  /// Seconds with all threads.
  public func seconds(_ stage: RunPlan.Stage, parameters: Double) -> Double {
    let name = stage.address.stage
    let work = stage.work * parameters
    if let rate = rates[name] { return work * rate / Double(threads) }
    guard let productRate else { return 0 }
    return 2 * work / (productRate * StageShares.of(name)) + Self.startup * parameters
  }

  /// Where the figures come from, for the plan.
  public var source: String {
    guard let productRate else { return "rates of the stages that have run in this store" }
    let calibration =
      "the matrix products of this machine (\(Int(productRate / 1e9)) GFLOP/s just now) and the "
      + "shares of docs/performance.md"
    return measured.isEmpty
      ? calibration
      : "measured rates of \(measured.sorted().joined(separator: ", ")), else \(calibration)"
  }
}

/// Memory that a point takes at its highest, which is while it trains.
///
/// Parameters, gradients and optimizer state in f32, the ranker's model if it has one of its own,
/// and the activations of one pass: about 1 MB a row at 135 million parameters
/// (docs/performance.md), growing with the power 2/3.
public enum PointMemory {
  public static func bytes(_ recipe: Recipe, _ plan: RunPlan) -> Double {
    let states = recipe.train.optimizer == .adamw ? 2.0 : recipe.train.momentum > 0 ? 2 : 1
    let copies = 2 + states + Double(plan.rankerModels)
    let row = 1e6 * pow(plan.parameters / 134.5e6, 2.0 / 3)
    return 4 * plan.parameters * copies + Double(recipe.train.tokensPerPass) * row + 1.5e8
  }

  /// Bytes of this machine: those that are free to take now, and all.
  static var machine: (available: Double, total: Double) {
    var found: [String: Double] = [:]
    for line in KernelFile.text("/proc/meminfo").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count >= 2, let kilobytes = Double(words[1]) {
        found[String(words[0])] = 1024 * kilobytes
      }
    }
    let total = found["MemTotal:"] ?? Double(ProcessInfo.processInfo.physicalMemory)
    return (found["MemAvailable:"] ?? total, total)
  }
}
