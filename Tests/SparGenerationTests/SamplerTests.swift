import Foundation
import SparGeneration
import SparTensor
import Testing

@Suite("Sampler") struct SamplerTests {
  /// The definition: sort everything, cut, renormalise, invert the cumulative distribution.
  func plain(_ logits: [Float], _ sampler: Sampler, _ uniform: Double) -> Int32 {
    let order = logits.indices.sorted {
      logits[$0] > logits[$1] || (logits[$0] == logits[$1] && $0 < $1)
    }
    guard sampler.temperature > 0 else { return Int32(order[0]) }
    let weights = order.map { exp(Double(logits[$0]) / sampler.temperature) }
    let total = weights.reduce(0, +)
    var probabilities = weights.map { $0 / total }
    if sampler.topK > 0 { probabilities = Array(probabilities.prefix(sampler.topK)) }
    let mass = probabilities.reduce(0, +)
    var kept = probabilities.count
    if sampler.topP < 1 {
      var sum = 0.0
      for (index, p) in probabilities.enumerated() {
        sum += p
        if sum >= sampler.topP * mass {
          kept = index + 1
          break
        }
      }
    }
    let nucleus = Array(probabilities.prefix(kept))
    let target = uniform * nucleus.reduce(0, +)
    var sum = 0.0
    for (index, p) in nucleus.enumerated() {
      sum += p
      if sum > target { return Int32(order[index]) }
    }
    return Int32(order[kept - 1])
  }

  func draw(_ logits: [Float], _ sampler: Sampler, _ uniform: Double) -> Int32 {
    let scale = sampler.temperature > 0 ? sampler.temperature : 1
    let logSum = log(logits.reduce(0) { $0 + exp(Double($1) / scale) })
    return logits.withUnsafeBufferPointer { sampler.draw($0, logSum: logSum, uniform: uniform) }
  }

  @Test(
    "agrees with sorting the whole vocabulary",
    arguments: [
      Sampler(temperature: 0, topP: 1, topK: 0), Sampler(temperature: 1, topP: 1, topK: 0),
      Sampler(temperature: 0.7, topP: 0.9, topK: 0), Sampler(temperature: 2, topP: 0.99, topK: 0),
      Sampler(temperature: 1, topP: 1, topK: 5), Sampler(temperature: 0.8, topP: 0.5, topK: 40),
    ])
  func agrees(sampler: Sampler) {
    var random = Random(seed: 11, stage: .initialise)
    for _ in 0..<200 {
      let logits = (0..<321).map { _ in Float(random.uniform() * 12 - 6) }
      let uniform = random.uniform()
      #expect(draw(logits, sampler, uniform) == plain(logits, sampler, uniform))
    }
  }

  @Test("frequencies follow the distribution")
  func frequencies() {
    let logits: [Float] = [0, Float(log(2.0)), Float(log(5.0)), Float(log(2.0))]
    let sampler = Sampler(temperature: 1, topP: 1, topK: 0)
    var counts = [0.0, 0, 0, 0]
    for item in 0..<20_000 {
      var random = Random(seed: 1, stage: .generate, item: item)
      counts[Int(draw(logits, sampler, random.uniform()))] += 1.0 / 20_000
    }
    for (count, expected) in zip(counts, [0.1, 0.2, 0.5, 0.2]) {
      #expect(abs(count - expected) < 0.01)
    }
  }

  @Test("a number next to one still names a token")
  func edge() {
    let logits = [Float](repeating: 0, count: 50)
    let sampler = Sampler(temperature: 1, topP: 1, topK: 0)
    #expect(draw(logits, sampler, 1 - 1e-16) == 49)
  }
}
