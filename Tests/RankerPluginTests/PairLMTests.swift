import Foundation
import RankerFixtures
import SparCompute
import SparHost
import SparModel
import Testing

@Suite(
  "Pair-preference language model",
  .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct PairLMTests {
  @Test("the prompt as it was trained on, logit of A less that of B") func logits() throws {
    let golden = try GoldenGPM(try #require(shared))
    try layByteTokenizer(in: golden.folder.path)
    let model = try LanguageModel.load(golden.folder.path, backend: .reference())
    let labels = try ["A", "B"].map { try model.tokenizer.encode($0)[0] }
    var query = query("Why?", ["yes", "no", "because"])
    query.messages.insert((role: "assistant", content: "Hm."), at: 0)
    let found = try ranker("pair-lm", ["model": golden.folder.path]).compare([query])[0].values
    for (i, a) in query.responses.enumerated() {
      for (j, b) in query.responses.enumerated() where i != j {
        // Spaces and newlines count: "[CONTEXT] ", then "\n", turns, "\n\n\n".
        let text =
          "u[CONTEXT] \n\n\n<turn> assistant\n Hm.\n\n<turn> user\n Why?\n\n\n [RESPONSE A] \(a)"
          + " [RESPONSE B] \(b) \n\na"
        var batch = PackedBatch()
        batch.append(try model.tokenizer.encode(text))
        let last = try model.logits(batch, rows: [Int32(batch.rows - 1)]).array()
        let expected = last[Int(labels[0])] - last[Int(labels[1])]
        #expect(abs(found[i * 3 + j] - Double(expected)) < 1e-4)
      }
    }
  }

  @Test("labels must be single, different tokens") func labels() throws {
    let golden = try GoldenGPM(try #require(shared))
    try layByteTokenizer(in: golden.folder.path)
    #expect {
      try ranker("pair-lm", ["model": golden.folder.path, "label_a": "AA"])
    } throws: { "\($0)".contains("is 2 tokens") }
    #expect(throws: (any Error).self) {
      try ranker("pair-lm", ["model": golden.folder.path, "label_a": "B"])
    }
  }
}
