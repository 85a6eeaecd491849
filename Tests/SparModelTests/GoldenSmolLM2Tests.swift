import Foundation
import SparCompute
import SparModel
import SparTensor
import SparText
import Testing

/// Whether the real model and the values computed from it are here.
private let isReady =
  shared != nil
  && KnownModel.named("smollm2-135m").map { FileManager.default.fileExists(atPath: $0.path) }
    == true

/// SmolLM2-135M-Instruct as shipped (Q4_1) against transformers on the same weights.
@Suite(
  "Golden SmolLM2", .serialized,
  .enabled(if: isReady, "needs ../shared/golden and `spar model fetch smollm2-135m`"))
struct GoldenSmolLM2Tests {
  struct Texts: Decodable {
    struct Prompt: Decodable {
      var user: String
      var rendered: String
      var greedy: String
    }
    var prompts: [Prompt]
  }

  static let model: Result<LanguageModel, any Error> = Result {
    try LanguageModel.load("smollm2-135m", backend: TestBackend(name: "openblas").make())
  }

  let expected: SafetensorsFile
  let texts: Texts
  let model: LanguageModel

  init() throws {
    let folder = try #require(shared) + "/golden/smollm2/"
    expected = try SafetensorsFile(folder + "expected.safetensors")
    texts = try JSONDecoder().decode(
      Texts.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "texts.json")))
    model = try Self.model.get()
  }

  func ids(_ name: String) throws -> [Int32] {
    try expected.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
  }

  func floats(_ name: String) throws -> [Float] {
    let entry = try #require(expected.entry(name))
    var values = [Float](repeating: 0, count: entry.count)
    try values.withUnsafeMutableBufferPointer { try expected.read(name, into: $0) }
    return values
  }

  @Test("prompts are rendered and tokenised as transformers does")
  func prompts() throws {
    for (index, prompt) in texts.prompts.enumerated() {
      let messages = [ChatMessage(role: "user", content: prompt.user)]
      let template = try #require(model.chatTemplate)
      let rendered = try template.render(
        messages, addGenerationPrompt: true, variables: model.templateVariables)
      #expect(rendered == prompt.rendered)
      #expect(try model.prompt(messages) == ids("prompt.\(index).ids"))
    }
  }

  @Test("last logits and 48 greedy tokens")
  func greedy() throws {
    for index in texts.prompts.indices {
      let prompt = try ids("prompt.\(index).ids")
      let expectedIDs = try ids("prompt.\(index).greedy")
      let cache = KVCache(model.config, slots: expectedIDs.count, backend: model.backend)
      var tokens = prompt
      var fed = 0
      while tokens.count < expectedIDs.count {
        var batch = PackedBatch()
        batch.ids = Array(tokens[fed...])
        batch.positions = (fed..<tokens.count).map(Int32.init)
        batch.spans = [AttentionSpan(queries: 0..<batch.ids.count, keys: 0..<tokens.count)]
        let logits = try model.logits(
          batch, rows: [Int32(batch.ids.count - 1)],
          cached: CachedRows(cache, slots: (fed..<tokens.count).map(Int32.init))
        ).array()
        if fed == 0 {
          let golden = try floats("prompt.\(index).last_logits")
          let error = zip(logits, golden).reduce(0) { max($0, abs($1.0 - $1.1)) }
          #expect(error < 5e-3, "prompt \(index): \(error)")
        }
        fed = tokens.count
        tokens.append(Int32(logits.indices.max { logits[$0] < logits[$1] } ?? 0))
      }
      #expect(tokens == expectedIDs, "prompt \(index)")
    }
  }

  @Test("log-probabilities of real answers, and the DPO gradient at step 0")
  func scoresAndGradients() throws {
    var batch = ScoringBatch()
    for pair in 0..<4 {
      batch.append(
        prompt: try ids("pair.\(pair).prompt.ids"),
        answers: [try ids("pair.\(pair).chosen.ids"), try ids("pair.\(pair).rejected.ids")])
    }
    for parameter in model.architecture.parameters {
      parameter.gradient = model.backend.zeros(parameter.value.shape)
    }
    defer { for parameter in model.architecture.parameters { parameter.gradient = nil } }
    let graph = Graph(model.backend, recording: true)
    let hidden = try model.architecture.hidden(batch.packed, graph, cached: nil)
    let logp = try graph.linearLogp(
      graph.gather(hidden, rows: batch.heads), model.architecture.head, targets: batch.targets)
    let values = logp.value.array()
    var coefficients = [Float](repeating: 0, count: values.count)
    for (answer, range) in batch.answers.enumerated() {
      let side = answer % 2 == 0 ? "chosen" : "rejected"
      let golden = try floats("pair.\(answer / 2).\(side).logp")
      for (offset, index) in range.enumerated() {
        #expect(abs(values[index] - golden[offset]) < 2e-3)
        coefficients[index] = (answer % 2 == 0 ? -1 : 1) * 0.1 / 2 / 4
      }
    }
    try graph.backward(
      from: logp,
      gradient: Tensor(coefficients, shape: [coefficients.count], pool: model.backend.pool))
    for parameter in model.architecture.parameters {
      let golden = try floats("gradnorm." + parameter.name)[0]
      let gradient = try #require(parameter.gradient)
      let norm = try model.backend.sumOfSquares(gradient).squareRoot()
      #expect(abs(norm - golden) <= 1e-3 * golden, "\(parameter.name): \(norm) against \(golden)")
    }
    for name in ["model.layers.29.self_attn.q_proj.weight", "model.norm.weight"] {
      let golden = try floats("grad." + name)
      let parameter = try #require(model.architecture.parameters.first { $0.name == name })
      let found = try #require(parameter.gradient).array()
      let norm = golden.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(found, golden).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      #expect(error <= 1e-3 * norm, "\(name): error \(error) of \(norm)")
    }
  }
}
