import Foundation
import SparText

/// How positions are stretched beyond the training length.
public enum RopeScaling: Equatable, Sendable {
  case none
  /// Every angle divided by `factor`.
  case linear(factor: Double)
  /// Stretches only beyond the model's positions, which no sequence here exceeds: as `none`.
  case dynamic(factor: Double)
  /// Llama 3.1's smooth blend between kept and stretched frequencies.
  case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalLength: Double)
  case yarn(YarnScaling)
  case longrope(LongRopeScaling)
}

/// YaRN: frequencies of few turns within the original length are stretched, those of many are
/// kept, those between are blended.  Source: Peng et al. 2023, arXiv:2309.00071.
public struct YarnScaling: Equatable, Sendable {
  public var factor: Double
  public var originalLength: Double
  /// Turns within `originalLength` from which on a frequency is kept, and up to which stretched.
  public var fast: Double
  public var slow: Double
  /// Whether the blend starts and ends at whole frequencies.
  public var truncates: Bool
  /// What cos and sin are multiplied by.
  public var amplitude: Double
}

/// LongRoPE: a divisor for each frequency.  Source: Ding et al. 2024, arXiv:2402.13753.
///
/// The long divisors are for sequences longer than `originalLength` and change every row of such a
/// sequence, also those before: a row would depend on what follows it.  Such sequences are refused.
public struct LongRopeScaling: Equatable, Sendable {
  public var shortFactors: [Double]
  /// Not computed with here; an export carries them.
  public var longFactors: [Double]
  public var originalLength: Int
  /// What cos and sin are multiplied by.
  public var amplitude: Double
}

extension ModelConfig {
  private static let scalings = [
    "default", "linear", "dynamic", "llama3", "yarn", "longrope", "su",
  ]

  /// Reads `rope_parameters` of transformers 5, or `rope_theta` and `rope_scaling` of before.
  ///
  /// - Parameter partial: whether the architecture rotates a part of each head where the config
  ///   says so.
  mutating func readRope(_ fields: ConfigFields, partial: Bool = false) throws {
    let rope = try fields.object("rope_parameters") ?? fields.object("rope_scaling")
    if let nested = rope?.node.members?.first(where: { $0.value.members != nil }) {
      throw fields.wrong(
        "rope_parameters", "has settings of its own for \(nested.key); this build has one for all")
    }
    ropeTheta =
      try rope?.number("rope_theta") ?? fields.number("rope_theta", default: ropeTheta)
    let share =
      try rope?.number("partial_rotary_factor")
      ?? fields.number("partial_rotary_factor", default: 1)
    guard share <= 1, partial || share == 1 else {
      throw fields.wrong(
        "partial_rotary_factor", "\(share): \(modelType) rotates whole heads in this build")
    }
    rotarySize = Int(Double(headSize) * share)
    guard rotarySize > 0, rotarySize % 2 == 0 else {
      throw fields.wrong("head_dim", "\(rotarySize) rotated values are not a number of pairs")
    }
    guard let rope else { return }
    let kind = try rope.string("rope_type") ?? rope.string("type") ?? "default"
    // Early Phi-3 configs said "su", and "yarn" for the same.
    ropeScaling = try scaling(modelType == "phi3" && kind == "yarn" ? "su" : kind, rope, fields)
  }

  private mutating func scaling(
    _ kind: String, _ rope: ConfigFields, _ fields: ConfigFields
  ) throws -> RopeScaling {
    func factor() throws -> Double {
      guard let factor = try rope.number("factor") else {
        throw rope.wrong("factor", "a number is needed for \(kind)")
      }
      return factor
    }
    let name = "original_max_position_embeddings"
    let original =
      try fields.integer(name) ?? rope.integer(name)
      ?? (modelType == "phi3" ? 4096 : maxPositions)
    switch kind {
    case "default": return .none
    case "linear": return .linear(factor: try factor())
    case "dynamic": return .dynamic(factor: try factor())
    case "llama3":
      let low = try rope.number("low_freq_factor", default: 1)
      let high = try rope.number("high_freq_factor", default: 4)
      guard high > low else { throw rope.wrong("high_freq_factor", "\(high) is not above \(low)") }
      return .llama3(
        factor: try factor(), lowFrequency: low, highFrequency: high,
        originalLength: Double(original))
    case "yarn":
      let factor = try rope.number("factor") ?? Double(maxPositions) / Double(original)
      let stretched = factor * Double(original)
      guard stretched < 1e15 else {
        throw rope.wrong("factor", "\(factor) times \(original) is no number of positions")
      }
      // A config that only says how to stretch leaves the positions of before.
      maxPositions = max(maxPositions, Int(stretched))
      return .yarn(try YarnScaling(rope, factor: factor, original: original))
    case "longrope", "su":
      return .longrope(try LongRopeScaling(rope, &self, original: original))
    default:
      throw rope.wrong(
        "rope_type",
        "\"\(kind)\" is not known; known: " + Self.scalings.joined(separator: ", ")
          + (NearestName.of(kind, among: Self.scalings).map { "; the nearest is \($0)" } ?? ""))
    }
  }
}

extension YarnScaling {
  fileprivate init(_ rope: ConfigFields, factor: Double, original: Int) throws {
    func scale(_ share: Double) -> Double { factor <= 1 ? 1 : 0.1 * share * log(factor) + 1 }
    self.factor = factor
    originalLength = Double(original)
    fast = try rope.number("beta_fast", default: 32)
    slow = try rope.number("beta_slow", default: 1)
    truncates = try rope.boolean("truncate", default: true)
    if let given = try rope.number("attention_factor") {
      amplitude = given
    } else if let part = try rope.number("mscale"), let all = try rope.number("mscale_all_dim") {
      amplitude = scale(part) / scale(all)
    } else {
      amplitude = scale(1)
    }
  }
}

extension LongRopeScaling {
  fileprivate init(_ rope: ConfigFields, _ config: inout ModelConfig, original: Int) throws {
    for name in ["short_factor", "long_factor"] {
      let count = try rope.numbers(name)?.count ?? 0
      guard count == config.rotarySize / 2 else {
        throw rope.wrong(name, "\(count) numbers for \(config.rotarySize / 2) frequencies")
      }
    }
    shortFactors = try rope.numbers("short_factor") ?? []
    longFactors = try rope.numbers("long_factor") ?? []
    originalLength = original
    let factor = try rope.number("factor") ?? Double(config.maxPositions) / Double(original)
    amplitude =
      try rope.number("attention_factor")
      ?? (factor <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot())
    config.maxPositions = min(config.maxPositions, original)
  }
}
