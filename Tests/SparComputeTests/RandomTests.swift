import SparTensor
import Testing

@Suite("Random") struct RandomTests {
  @Test("a stream is a function of its name alone")
  func named() {
    var a = Random(seed: 3, stage: .generate, iteration: 2, item: 5, sub: 1, position: 9)
    var b = Random(seed: 3, stage: .generate, iteration: 2, item: 5, sub: 1, position: 9)
    #expect((0..<20).map { _ in a.next() } == (0..<20).map { _ in b.next() })
  }

  @Test("every part of the name matters")
  func parts() {
    let streams = [
      Random(seed: 3, stage: .generate), Random(seed: 4, stage: .generate),
      Random(seed: 3, stage: .shuffle), Random(seed: 3, stage: .generate, iteration: 1),
      Random(seed: 3, stage: .generate, item: 1), Random(seed: 3, stage: .generate, sub: 1),
      Random(seed: 3, stage: .generate, position: 1),
    ]
    let first = streams.map { stream in
      var stream = stream
      return stream.next()
    }
    #expect(Set(first).count == streams.count)
  }

  @Test("uniform numbers have the mean and variance of the uniform distribution")
  func moments() {
    var random = Random(seed: 1, stage: .bootstrap)
    let values = (0..<20_000).map { _ in random.uniform() }
    let mean = values.reduce(0, +) / 20_000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean - 0.5) < 0.01)
    #expect(abs(variance - 1.0 / 12) < 0.002)
    #expect(values.allSatisfy { (0..<1).contains($0) })
  }

  @Test("a permutation holds each number once")
  func permutation() {
    var random = Random(seed: 9, stage: .shuffle)
    let order = random.permutation(100)
    #expect(order.sorted() == Array(0..<100))
    #expect(order != Array(0..<100))
  }
}
