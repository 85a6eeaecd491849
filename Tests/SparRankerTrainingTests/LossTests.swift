import Foundation
import Testing

@testable import SparRankerTraining

@Suite("Ranker losses") struct RankerLossTests {
  /// Central difference.
  func slope(_ f: (Double) -> Double, at x: Double) -> Double {
    (f(x + 1e-6) - f(x - 1e-6)) / 2e-6
  }

  @Test(
    "slopes are derivatives, by the score and by tau", arguments: RankerLoss.Form.allCases,
    [false, true])
  func slopes(form: RankerLoss.Form, margins: Bool) {
    var loss = RankerLoss()
    loss.form = form
    loss.usesMargin = margins
    for learns in [false, true] {
      loss.learnsTau = learns
      for (s, p, blended) in [(0.3, 1.0, false), (-0.7, 0.8, true), (0.05, 0.5, false)] {
        func value(_ s: Double, _ tau: Double) -> RankerLoss.Value {
          loss.value(s, margin: 0.4, probability: p, tau: tau, blended: blended)
        }
        let found = value(s, 0.5)
        #expect(abs(found.slope - slope({ value($0, 0.5).loss }, at: s)) < 1e-6)
        #expect(abs(found.tauSlope - slope({ value(s, $0).loss }, at: 0.5)) < 1e-6)
      }
    }
  }

  @Test("the published forms")
  func forms() {
    var loss = RankerLoss()
    // −ln σ(0.2640871/0.1), σ = 0.9334461
    let pairwise = loss.value(0.2640871, margin: 0, probability: 1, tau: 0.1, blended: true)
    #expect(abs(pairwise.probability - 0.9334461) < 1e-7)
    #expect(abs(pairwise.loss + log(0.9334461)) < 1e-6)
    loss.form = .regression
    #expect(loss.value(1, margin: 9, probability: 1, tau: 0.5, blended: false).loss == 32)
    loss.usesMargin = true
    // Aim 5σ(0) = 2.5 without blending, (s − m)/τ with it.
    #expect(loss.value(1, margin: 0, probability: 1, tau: 0.5, blended: false).loss == 0.125)
    #expect(loss.value(1, margin: 0.5, probability: 1, tau: 0.5, blended: true).loss == 0.5)
    #expect(abs(RankerLoss.tau(of: RankerLoss.initialTau).value - 0.1002) < 1e-4)
    #expect(RankerLoss.tau(of: -50).value == 0.01)
  }

  @Test("a large score overflows nothing")
  func large() {
    for s in [1e9, -1e9] {
      let value = RankerLoss().value(s, margin: 0, probability: 1, tau: 0.01, blended: false)
      #expect(value.loss.isFinite && value.slope.isFinite)
    }
  }

  @Test("auxiliary losses have right slopes", arguments: LanguageModelLoss.Form.allCases)
  func languageModel(form: LanguageModelLoss.Form) {
    var loss = LanguageModelLoss()
    loss.form = form
    loss.beta = 0.3
    func value(_ a: Double, _ b: Double) -> (loss: Double, chosen: Double, rejected: Double) {
      loss.value(chosen: a, tokens: 3, rejected: b, tokens: 5)
    }
    let found = value(-4, -6)
    #expect(abs(found.chosen - slope({ value($0, -6).loss }, at: -4)) < 1e-6)
    #expect(abs(found.rejected - slope({ value(-4, $0).loss }, at: -6)) < 1e-6)
  }
}

@Suite("Ranker heads") struct RankerHeadTests {
  @Test("the worked example of the specification")
  func example() {
    let (v, w) = ([3.0, 4, 0, 0], [0.0, 1, 1, 0])
    let raw = RankerHead(kind: .gpm, dimension: 4, normalises: false)
    #expect(raw.scoreAndGradient(v, w, gate: [], width: 8).score == 3)
    let unit = RankerHead(kind: .gpm, dimension: 4)
    #expect(abs(unit.scoreAndGradient(v, w, gate: [], width: 8).score - 0.4242641) < 1e-7)
    let gated = RankerHead(kind: .gpm, dimension: 4, gate: .softmax)
    #expect(
      abs(gated.scoreAndGradient(v, w, gate: [0.2, -0.3], width: 8).score - 0.2640871) < 1e-7)
  }

  @Test(
    "gradients are derivatives", arguments: RankerHead.Gate.allCases, [false, true])
  func gradients(gate: RankerHead.Gate, normalises: Bool) {
    let head = RankerHead(kind: .gpm, dimension: 6, gate: gate, normalises: normalises)
    let x = [0.3, -0.2, 0.9, 0.1, -0.5, 0.4]
    let y = [-0.6, 0.2, 0.3, 0.8, 0.1, -0.9]
    let g = gate == .none ? [] : [0.2, -0.4, 0.7]
    let found = head.scoreAndGradient(x, y, gate: g, width: 4).gradient
    func check(_ values: [Double], _ slopes: [Double], _ score: ([Double]) -> Double) {
      #expect(values.count == slopes.count)
      for i in values.indices {
        var (up, down) = (values, values)
        up[i] += 1e-6
        down[i] -= 1e-6
        #expect(abs((score(up) - score(down)) / 2e-6 - slopes[i]) < 1e-7)
      }
    }
    check(x, found.first) { head.scoreAndGradient($0, y, gate: g, width: 4).score }
    check(y, found.second) { head.scoreAndGradient(x, $0, gate: g, width: 4).score }
    check(g, found.gate) { head.scoreAndGradient(x, y, gate: $0, width: 4).score }
  }

  @Test("a score is antisymmetric; unit vectors around a circle make a perfect cycle")
  func cycle() {
    let head = RankerHead(kind: .gpm, dimension: 2)
    let vectors = (0..<3).map { i in
      let angle = 2 * Double.pi * Double(i) / 3
      return [cos(angle), sin(angle)]
    }
    for i in 0..<3 {
      let next = (i + 1) % 3
      let there = head.scoreAndGradient(vectors[i], vectors[next], gate: [], width: 2).score
      let back = head.scoreAndGradient(vectors[next], vectors[i], gate: [], width: 2).score
      #expect(abs(there - 0.8660254) < 1e-7 && there == -back)
    }
  }
}
