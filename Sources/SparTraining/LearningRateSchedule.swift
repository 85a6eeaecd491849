import Foundation

/// The step size over time, by the formulas of Hugging Face's schedulers.
public struct LearningRateSchedule: Equatable, Sendable {
  public enum Shape: String, Codable, Sendable, CaseIterable {
    case constant
    case linear
    case cosine
  }

  public let shape: Shape
  /// W: steps of rising.
  public let warmup: Int
  /// T: steps that the schedule is made for.
  public let total: Int

  public init(_ shape: Shape, warmup: Int, total: Int) {
    self.shape = shape
    self.warmup = warmup
    self.total = total
  }

  /// The schedule of `options` over `total` steps: W = ceil(ratio T) unless given in steps.
  public init(_ options: TrainingOptions, total: Int) {
    let byRatio = Int((options.warmupRatio * Double(total)).rounded(.up))
    self.init(
      options.schedule, warmup: options.warmupSteps > 0 ? options.warmupSteps : byRatio,
      total: total)
  }

  /// What step `t` (from 0) multiplies the peak with: t/W while warming up, so 0 at first; then
  /// 1, (T-t)/(T-W), or half a cosine.
  public func multiplier(_ t: Int) -> Double {
    if t < warmup { return Double(t) / Double(max(1, warmup)) }
    let length = Double(max(1, total - warmup))
    switch shape {
    case .constant: return 1
    case .linear: return max(0, Double(total - t) / length)
    case .cosine: return max(0, 0.5 * (1 + cos(Double.pi * Double(t - warmup) / length)))
    }
  }
}
