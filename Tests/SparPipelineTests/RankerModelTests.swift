import SparPipeline
import Testing

@Suite("Models of rankers") struct RankerModelTests {
  private func names(_ options: [String: String]) -> [String] {
    RunInputs.models(options).map(\.option).sorted()
  }

  @Test("options that name models of ours; beside a base-url the model is the endpoint's")
  func options() {
    #expect(names(["model": "m", "tau": "1", "remodel": "x"]) == ["model"])
    #expect(names(["model": "m", "base-url": ""]) == ["model"])
    #expect(names(["model": "qwen", "base-url": "http://127.0.0.1/v1"]) == [])
    #expect(
      names([
        "judge.model": "qwen", "judge.base-url": "http://127.0.0.1/v1", "gpm.model": "g",
        "own.critic-model": "c", "own.other-model": "",
      ]) == ["gpm.model", "own.critic-model"])
  }
}
