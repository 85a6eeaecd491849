import Foundation
import SparTensor

/// Draws a token from logits: temperature, then top-k, then top-p, then the inverse of the
/// cumulative distribution in order of falling probability.
///
/// One uniform number decides, so a draw is a pure function of logits and random stream.
public struct Sampler: Sendable {
  public var temperature: Double
  public var topP: Double
  public var topK: Int

  public init(temperature: Double, topP: Double, topK: Int) {
    self.temperature = temperature
    self.topP = topP
    self.topK = topK
  }

  /// `logits` [V]; `logSum` = log Σ exp(z / temperature); `uniform` in [0, 1).
  ///
  /// Only the upper part of the vocabulary is sorted: as much of it as holds the answer.
  public func draw(
    _ logits: UnsafeBufferPointer<Float>, logSum: Double, uniform: Double
  ) -> Int32 {
    let top = Self.argmax(logits)
    guard temperature > 0 else { return Int32(top) }
    let peak = logits[top]
    // exp(-8) of the peak's weight: rarely is more needed, and then the depth doubles.
    var depth = Float(8 * temperature)
    while true {
      let candidates = Self.above(peak - depth, in: logits)
      let isWhole = candidates.count == logits.count
      if let token = draw(
        candidates, logits, logSum: logSum, uniform: uniform, isWhole: isWhole)
      {
        return token
      }
      depth = candidates.count > logits.count / 2 ? .infinity : depth * 2
    }
  }

  /// The draw among `candidates`, the most probable tokens; nil when they do not reach far enough.
  private func draw(
    _ candidates: [Int32], _ logits: UnsafeBufferPointer<Float>, logSum: Double, uniform: Double,
    isWhole: Bool
  ) -> Int32? {
    if topK > 0, candidates.count < topK, !isWhole { return nil }
    var order = candidates.sorted {
      let (a, b) = (logits[Int($0)], logits[Int($1)])
      return a > b || (a == b && $0 < $1)
    }
    if topK > 0 { order = Array(order.prefix(topK)) }
    let weights = order.map { exp(Double(logits[Int($0)]) / temperature - logSum) }
    var mass = topK > 0 ? weights.reduce(0, +) : 1
    var kept = order.count
    if topP < 1 {
      var cumulative = 0.0
      guard
        let last = weights.firstIndex(where: { weight in
          cumulative += weight
          return cumulative >= topP * mass
        })
      else {
        if !isWhole && topK == 0 { return nil }
        return pick(order, weights, uniform * cumulative)
      }
      kept = last + 1
      mass = cumulative
    }
    return pick(Array(order.prefix(kept)), weights, uniform * mass)
      ?? (isWhole || topK > 0 || topP < 1 ? order[kept - 1] : nil)
  }

  private func pick(_ order: [Int32], _ weights: [Double], _ target: Double) -> Int32? {
    var cumulative = 0.0
    for (index, token) in order.enumerated() {
      cumulative += weights[index]
      if cumulative > target { return token }
    }
    return nil
  }

  /// The first of the largest.
  static func argmax(_ logits: UnsafeBufferPointer<Float>) -> Int {
    // Lanes first: the compiler does not vectorise an argmax, but does a max.
    var peak = -Float.infinity
    var lanes = SIMD16<Float>(repeating: -.infinity)
    let whole = logits.count / 16 * 16
    if let base = logits.baseAddress {
      for start in stride(from: 0, to: whole, by: 16) {
        let next = UnsafeRawPointer(base + start).loadUnaligned(as: SIMD16<Float>.self)
        lanes.replace(with: next, where: next .> lanes)
      }
    }
    peak = lanes.max()
    for index in whole..<logits.count { peak = max(peak, logits[index]) }
    return logits.firstIndex(of: peak) ?? 0
  }

  /// Tokens with a logit of at least `floor`, in order of id.
  static func above(_ floor: Float, in logits: UnsafeBufferPointer<Float>) -> [Int32] {
    var found: [Int32] = []
    let whole = logits.count / 16 * 16
    guard let base = logits.baseAddress else { return [] }
    for start in stride(from: 0, to: whole, by: 16) {
      let next = UnsafeRawPointer(base + start).loadUnaligned(as: SIMD16<Float>.self)
      if next.max() >= floor {
        for index in start..<(start + 16) where base[index] >= floor { found.append(Int32(index)) }
      }
    }
    for index in whole..<logits.count where base[index] >= floor { found.append(Int32(index)) }
    return found
  }
}
