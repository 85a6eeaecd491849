import Glibc

/// e^x_i / Σ e^x_j, without overflow.
public func softmax(_ x: [Double]) -> [Double] {
  let top = x.max() ?? 0
  let powers = x.map { exp($0 - top) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}
