import Foundation
import SparCompute
import SparTensor

/// cos and sin of every position's angles, made as far as positions ask: a model for 131,072 tokens
/// would need 64 MiB and most of a second for them all.
final class RotaryTables {
  private let backend: Backend
  private let frequencies: [Float]
  private let amplitude: Float
  /// Values of each head that are rotated.
  private let size: Int
  private let limit: Int
  private let path: String
  private var table: RotaryTable?

  init(_ config: ModelConfig, backend: Backend, path: String) {
    self.backend = backend
    self.path = path
    (frequencies, amplitude) = Self.frequencies(config)
    (size, limit) = (config.rotarySize, config.maxPositions)
  }

  /// The rotation of rows at `positions`.
  ///
  /// - Throws: `ModelError.promptTooLong` for a position that the model has not.
  func rotation(_ positions: [Int32]) throws -> BatchRotary {
    let needed = Int(positions.max() ?? 0) + 1
    guard needed <= limit else {
      throw ModelError(.promptTooLong(tokens: needed, limit: limit), path: path)
    }
    let table: RotaryTable
    if let present = self.table, present.cos.shape[0] >= needed {
      table = present
    } else {
      table = make(min(limit, max(256, needed + needed / 2)))
      self.table = table
    }
    return BatchRotary(table: table, positions: positions, size: size)
  }

  private func make(_ positions: Int) -> RotaryTable {
    let half = frequencies.count
    let cos = backend.tensor([positions, half], use: .weights)
    let sin = backend.tensor([positions, half], use: .weights)
    let (cosines, sines) = (cos.floats, sin.floats)
    for position in 0..<positions {
      for d in 0..<half {
        // The angle in f32, as Hugging Face computes it.
        let angle = Double(Float(position) * frequencies[d])
        cosines[position * half + d] = Float(Foundation.cos(angle)) * amplitude
        sines[position * half + d] = Float(Foundation.sin(angle)) * amplitude
      }
    }
    return RotaryTable(cos: cos, sin: sin)
  }

  /// theta^(-2d/D) of the rotated pairs as the scaling changes them, and what cos and sin are
  /// multiplied by; in f32 arithmetic as Hugging Face computes them.
  static func frequencies(_ config: ModelConfig) -> ([Float], Float) {
    let powers = (0..<config.rotarySize / 2).map { d in
      Float(pow(config.ropeTheta, Double(2 * d) / Double(config.rotarySize)))
    }
    switch config.ropeScaling {
    case .none, .dynamic: return (powers.map { 1 / $0 }, 1)
    case .linear(let factor): return (powers.map { 1 / $0 / Float(factor) }, 1)
    case .llama3(let factor, let low, let high, let length):
      return (
        powers.map {
          smoothed(1 / $0, factor: factor, low: low, high: high, length: length)
        }, 1
      )
    case .yarn(let yarn): return (blended(powers, yarn, config), Float(yarn.amplitude))
    case .longrope(let long):
      return (
        zip(powers, long.shortFactors).map { 1 / (Float($1) * $0) }, Float(long.amplitude)
      )
    }
  }

  private static func smoothed(
    _ frequency: Float, factor: Double, low: Double, high: Double, length: Double
  ) -> Float {
    let wavelength = 2 * Double.pi / Double(frequency)
    if wavelength < length / high { return frequency }
    if wavelength > length / low { return frequency / Float(factor) }
    let smooth = (length / wavelength - low) / (high - low)
    return Float((1 - smooth) * Double(frequency) / factor + smooth * Double(frequency))
  }

  private static func blended(
    _ powers: [Float], _ yarn: YarnScaling, _ config: ModelConfig
  ) -> [Float] {
    let size = Double(config.rotarySize)
    /// The frequency that turns so often within the original length.
    func place(_ turns: Double) -> Double {
      size * log(yarn.originalLength / (turns * 2 * Double.pi)) / (2 * log(config.ropeTheta))
    }
    var (low, high) = (place(yarn.fast), place(yarn.slow))
    if yarn.truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, size - 1))
    if low == high { high += 0.001 }
    return powers.enumerated().map { d, power in
      let stretched = Float(min(max((Double(d) - low) / (high - low), 0), 1))
      return stretched / (Float(yarn.factor) * power) + (1 - stretched) / power
    }
  }
}

/// The rotation of one batch's rows.
struct BatchRotary {
  let table: RotaryTable
  let positions: [Int32]
  let size: Int

  /// Rotates x [T, heads · D] in place and returns it.
  func callAsFunction(_ x: Variable, heads: Int, _ graph: Graph) throws -> Variable {
    try graph.rotary(x, heads: heads, size: size, table, positions: positions)
  }
}
