import Foundation
import RankerFixtures
import SparHost
import SparPipeline
import SparTensor
import Testing

@Suite(
  "GPM", .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct GPMTests {
  let golden: GoldenGPM

  init() throws { golden = try GoldenGPM(try #require(shared)) }

  private func table(_ options: [String: String], _ query: RankQuery) throws -> [Double] {
    let options = options.merging(["model": golden.folder.path]) { $1 }
    return try ranker("gpm", options).compare([query])[0].values
  }

  @Test(
    "tables are those of the reference, with and without normalisation and gate",
    arguments: [
      ("M.raw", "off", "none"), ("M.l2", "on", "none"), ("M.gate", "off", "softmax"),
      ("M.l2.gate", "on", "softmax"), ("M.l2.gate", "auto", "auto"),
    ])
  func goldenTables(name: String, l2: String, gate: String) throws {
    let expected = try golden.floats(name)
    let found = try table(["l2": l2, "gate": gate], golden.query())
    // Without normalisation M reaches 127, of which f32 keeps six digits.
    let tolerance = l2 == "off" ? 3e-4 : 1e-4
    #expect(distance(found, expected) < tolerance, "\(found) \(expected)")
    for i in 0..<4 {
      for j in 0..<4 { #expect(found[4 * i + j] == -found[4 * j + i]) }
    }
  }

  @Test("tau divides, and the scaled gate is k softmax(g/√C)") func scales() throws {
    let query = try golden.query()
    let plain = try table(["tau": "0.1"], query)
    let halved = try table(["tau": "0.2"], query)
    for (a, b) in zip(plain, halved) { #expect(abs(a / 2 - b) < 1e-12) }
    let scaled = try table(["gate": "scaled", "l2": "off"], query)
    let lambda = try golden.floats("lambda").map(Double.init)
    // softmax(g/√C) from softmax(g): the same numbers to the power 1/√C, made to sum to 3.
    let powers = lambda.map { pow($0, 1 / 48.0.squareRoot()) }
    let weights = powers.map { 3 * $0 / powers.reduce(0, +) }
    let v = try golden.floats("embedding").map(Double.init)
    var sum = 0.0
    for l in 0..<3 {
      let (a, b) = (v[2 * l] * v[7 + 2 * l], v[2 * l + 1] * v[6 + 2 * l])
      sum += weights[l] * (a - b)
    }
    #expect(abs(scaled[1] - sum / 0.1) < 1e-4, "\(scaled[1]) \(sum / 0.1)")
  }

  @Test("training treatment: BOS is added, the last token becomes EOS") func training() throws {
    let query = try golden.query()
    var same = query
    // The same ids by hand: a BOS in front, EOS in place of each last token.
    same.messages = [(role: "user", content: "<t1>" + query.messages[0].content)]
    same.responses = try golden.responses.map { ids in
      GoldenGPM.text(Array(ids.dropLast()) + [2])
    }
    let template = try table(["text": "template"], same)
    #expect(try table(["text": "training"], query) == template)
    // In ranking every BOS goes, wherever it stands.
    #expect(try table(["text": "ranking"], same) != template)
  }

  @Test("what contradicts the checkpoint is refused in words") func refusals() throws {
    func problem(_ options: [String: String] = [:]) -> String {
      do {
        _ = try table(options, golden.query())
        return ""
      } catch {
        return "\(error)"
      }
    }
    try golden.configure(["spar_ranker": ["kind": "gpm", "l2": false, "tau": 0.5]])
    #expect(problem(["l2": "on"]).contains("says false in its config.json"))
    #expect(problem(["tau": "0.1"]).contains("tau"))
    let expected = try golden.floats("M.gate")
    let found = try table([:], golden.query())
    #expect(distance(found.map { $0 * 5 }, expected) < 3e-4)
    try golden.configure(["spar_ranker": ["kind": "bradley-terry"]])
    #expect(problem().contains("use the ranker bradley-terry"))
    try golden.configure(["spar_ranker": NSNull(), "value_head_dim": 8])
    #expect(problem().contains("value_head_dim 8, value_head.weight has 6 rows"))
    for size in [1e300, 6.5] {
      try golden.configure(["value_head_dim": size])
      #expect(problem().contains("has value_head_dim"))
    }
    try golden.configure(["value_head_dim": 6, "spar_ranker": ["tau": "0.5"]])
    #expect(problem().contains("has tau 0.5, which is of no use"))
    try golden.configure([
      "spar_ranker": NSNull(), "value_head_dim": 6, "add_prompt_head": false,
    ])
    #expect(problem().contains("add_prompt_head false"))
    try golden.configure(["add_prompt_head": true])
    #expect(problem() == "")
    try golden.rename("prompt_head.weight", to: "prompt_head.weight", shape: [2, 48])
    #expect(problem().contains("prompt_head.weight has 2 rows"))
    try golden.configure(["add_prompt_head": NSNull()])
    try golden.rename("prompt_head.weight", to: nil)
    #expect(problem(["gate": "softmax"]).contains("needs prompt_head.weight"))
    try golden.configure(["value_head_dim": NSNull()])
    try golden.rename("value_head.weight", to: "value_head.weight", shape: [5, 48])
    #expect(problem().contains("5 rows"))
    try golden.rename("value_head.weight", to: nil)
    #expect(problem().contains("no tensor value_head.weight"))
  }
}

@Suite(
  "Bradley-Terry",
  .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct BradleyTerryTests {
  @Test(
    "rewards' differences are those of the reference, under either name of the head",
    arguments: ["value_head.weight", "score.weight"])
  func goldenRewards(head: String) throws {
    let golden = try GoldenGPM(try #require(shared), weights: "bt")
    if head != "value_head.weight" { try golden.rename("value_head.weight", to: head) }
    let ranker = try ranker("bradley-terry", ["model": golden.folder.path, "scale": "0.5"])
    let found = try ranker.compare([golden.query()])[0].values
    let expected = try golden.floats("M.bt")
    #expect(distance(found.map { $0 / 2 }, expected) < 1e-4)
  }

  @Test("the checkpoint's temperature is the scale") func temperature() throws {
    let golden = try GoldenGPM(try #require(shared), weights: "bt")
    try golden.configure(["spar_ranker": ["kind": "bradley-terry", "tau": 0.25]])
    let options = ["model": golden.folder.path]
    let found = try ranker("bradley-terry", options).compare([golden.query()])[0].values
    let expected = try golden.floats("M.bt")
    #expect(distance(found.map { $0 / 4 }, expected) < 1e-4)
    #expect { try ranker("bradley-terry", options.merging(["scale": "1"]) { $1 }) } throws: {
      "\($0)".contains("says 0.25 in its config.json")
    }
  }

  @Test("an embedding, two heads and no head are refused") func refusals() throws {
    let golden = try GoldenGPM(try #require(shared))
    func problem() -> String {
      do {
        _ = try ranker("bradley-terry", ["model": golden.folder.path])
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(problem().contains("an embedding is for the ranker gpm"))
    try golden.rename("prompt_head.weight", to: "score.weight")
    #expect(problem().contains("both value_head.weight and score.weight"))
    try golden.rename("value_head.weight", to: nil)
    #expect(problem().contains("has 3 rows"))
    try golden.rename("score.weight", to: nil)
    #expect(problem().contains("neither value_head.weight nor score.weight"))
  }
}
