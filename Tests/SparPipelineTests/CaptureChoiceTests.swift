import SparModel
import SparPipeline
import Testing

@Suite("What is captured, as typed") struct CaptureChoiceTests {
  private func sites(_ layers: String, _ sites: String) throws -> Set<ActivationSite> {
    try CaptureChoice(layers: layers, sites: sites, positions: "all", dtype: "f32").options().sites
  }

  @Test("logits alone are of all layers: a list of layers says nothing of them")
  func logits() throws {
    #expect(try sites("all", "logits") == [.logits])
    #expect(try sites("1", "logits,residual") == [.logits, .residual])
    #expect(throws: RecipeError.self) { try sites("1", "logits") }
  }
}
