import Foundation
import SparPluginKit
import Testing

@Suite("Skew products") struct SkewProductTests {
  @Test("worked values: raw, normalised, gated") func values() {
    let (v, w) = ([3.0, 4, 0, 0], [0.0, 1, 1, 0])
    #expect(skewProduct(v, w, weights: [1, 1]) == 3)
    #expect(skewProduct(w, v, weights: [1, 1]) == -3)
    let s = skewProduct(unitVector(v), unitVector(w), weights: [1, 1])
    #expect(abs(s - 0.4242641) < 1e-7)
    let gate = softmax([0.2, -0.3])
    #expect(abs(gate[0] - 0.6224593) < 1e-7 && abs(gate[1] - 0.3775407) < 1e-7)
    let gated = skewProduct(unitVector(v), unitVector(w), weights: gate)
    #expect(abs(gated - 0.2640871) < 1e-7)
    #expect(abs(logistic(gated / 0.1) - 0.9334461) < 1e-7)
  }

  @Test("unit vectors at 2πk/n hold a circle of n exactly", arguments: 3...9)
  func circles(n: Int) {
    let points = (0..<n).map { k in
      [cos(2 * .pi * Double(k) / Double(n)), sin(2 * .pi * Double(k) / Double(n))]
    }
    for k in 0..<n {
      let s = skewProduct(points[k], points[(k + 1) % n], weights: [1])
      #expect(abs(s - sin(2 * .pi / Double(n))) < 1e-12)
    }
  }

  @Test("a vector of zeros stays one") func zero() {
    #expect(unitVector([0, 0]) == [0, 0])
  }
}
