import Testing

@testable import @MODULE@Core

@Suite struct PairLossTests {
  @Test("the loss by hand: margin 1.5 against 1/(2 tau) = 2")
  func byHand() {
    let (value, slope) = PairLoss(tau: 0.25)(margin: 1.5)
    #expect(value == 0.25)
    #expect(slope == -1)
  }

  @Test("the slope is that of finite differences", arguments: [-30, -1, 0, 0.1, 5, 12.5])
  func slope(margin: Double) {
    let loss = PairLoss(tau: 0.1)
    let h = 1e-5
    let measured = (loss(margin: margin + h).value - loss(margin: margin - h).value) / (2 * h)
    #expect(abs(measured - loss(margin: margin).slope) < 1e-6)
  }
}
