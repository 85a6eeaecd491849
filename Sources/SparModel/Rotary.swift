import Foundation
import SparCompute
import SparTensor

extension RotaryTable {
  /// cos and sin of position * theta^(-2d/D), in f32 arithmetic as Hugging Face computes them.
  init(_ config: ModelConfig, positions: Int, backend: Backend) {
    let half = config.headSize / 2
    let frequencies = (0..<half).map { d in
      Self.scaled(
        1 / Float(pow(config.ropeTheta, Double(2 * d) / Double(config.headSize))),
        config.ropeScaling)
    }
    let cos = backend.tensor([positions, half], use: .weights)
    let sin = backend.tensor([positions, half], use: .weights)
    for position in 0..<positions {
      for d in 0..<half {
        let angle = Double(Float(position) * frequencies[d])
        cos.floats[position * half + d] = Float(Foundation.cos(angle))
        sin.floats[position * half + d] = Float(Foundation.sin(angle))
      }
    }
    self.init(cos: cos, sin: sin)
  }

  private static func scaled(_ frequency: Float, _ scaling: RopeScaling) -> Float {
    guard case .llama3(let factor, let low, let high, let length) = scaling else {
      return frequency
    }
    let wavelength = 2 * Double.pi / Double(frequency)
    if wavelength < length / high { return frequency }
    if wavelength > length / low { return frequency / Float(factor) }
    let smooth = (length / wavelength - low) / (high - low)
    return Float((1 - smooth) * Double(frequency) / factor + smooth * Double(frequency))
  }
}
