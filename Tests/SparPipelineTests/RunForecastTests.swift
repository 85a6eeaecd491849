import Foundation
import SparGeneration
import SparModel
import SparPipeline
import SparText
import Testing

@Suite("Forecast of a run") struct RunForecastTests {
  private static let shapes = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("docs/recipes/shapes").path

  private func shape(_ name: String) throws -> PlannedModel {
    try PlannedModel(config: "\(Self.shapes)/\(name).json")
  }

  /// Layers of 2·(10·(20+20) + 3·10·30) = 2600 weights, head of 500.
  private func tiny() throws -> PlannedModel {
    let json = """
      {"model_type": "llama", "hidden_size": 10, "intermediate_size": 30, "num_hidden_layers": 2,
       "num_attention_heads": 5, "num_key_value_heads": 5, "head_dim": 2, "vocab_size": 50,
       "tie_word_embeddings": true}
      """
    return .decoder(try ModelConfig(json: Data(json.utf8), path: "tiny"))
  }

  private func forecast(
    _ ranker: PlannedModel?,
    rates: MachineRates = MachineRates(products: 1, memory: .infinity, threads: 1),
    own: RunForecast.RankerWork? = nil, edit: (inout Recipe) -> Void = { _ in }
  ) throws -> RunForecast {
    var recipe = Recipe()
    recipe.run.iterations = 2
    recipe.generate.pairs = 3
    recipe.generate.batchSize = 6
    recipe.train.perDeviceBatch = 4
    edit(&recipe)
    return RunForecast(
      recipe, policy: try tiny(), ranker: ranker,
      work: .init(prompts: 8, heldout: 5, promptTokens: 7, answerTokens: 11, ranker: own),
      rates: rates,
      totalBytes: 1e9)
  }

  private func stage(_ name: String, _ forecast: RunForecast) throws -> RunForecast.Stage {
    try #require(forecast.stages.first { $0.stage == name })
  }

  @Test("published parameter counts follow from the shapes")
  func shapes() throws {
    for (name, billions) in [("mistral-7b", 7.24), ("llama-3-8b", 8.03), ("gemma-2-9b", 9.24)] {
      #expect(abs(try shape(name).parameters / 1e9 - billions) < 0.005)
    }
    let encoder = try shape("pairrm")
    #expect(encoder.isEncoder && abs(encoder.parameters / 1e6 - 434) < 2)
  }

  @Test("the operations are those of the products and of attention, counted by hand")
  func operations() throws {
    let found = try forecast(nil)
    let weights = 2.0 * (10 * 40 + 3 * 10 * 30)
    let attention = 4.0 * 2 * 10
    let tokens = 8.0 * 3 * 11
    let generate = try stage("generate", found)
    #expect(generate.tokens == 8 * 7 + tokens)
    #expect(
      generate.operations
        == 2 * weights * 8 * 7 + attention * 8 * 7 * 3.5
        + 2 * (weights + 500) * tokens + attention * tokens * 12.5)
    #expect(generate.times == 2)
    #expect(try stage("heldout", found).times == 3)
    #expect(abs(generate.seconds - generate.operations / 0.55) < 1e-6 * generate.seconds)
    let train = try stage("train", found)
    #expect(train.tokens == 8 * (7 + 22))
    let pass = 2 * weights * 8 * 29 + attention * 8 * 29 * 12.5 + 2 * 500 * 8 * 22
    #expect(abs(train.operations - (4 * pass + 2 * 500 * 8 * 22)) < 1e-6 * pass)
    #expect(try stage("rank", found).operations == 0)
  }

  @Test("a ranker's cost follows what it reads")
  func rankers() throws {
    let answers = try stage("rank", forecast(tiny())).tokens
    #expect(answers == 8 * (7 + 33))
    let pairs = try stage("rank", forecast(tiny()) { $0.plan.rankerReads = .pairs }).tokens
    #expect(pairs == 8 * (7 + 33 + 66))
    #expect(try stage("rank", forecast(shape("pairrm"))).tokens == 8 * 6 * 29)
    let twice = try stage("rank", forecast(tiny()) { $0.plan.rankerPasses = 2 }).tokens
    #expect(twice == 2 * answers)
    #expect(try stage("rank", forecast(tiny()) { $0.plan.rankerReads = .nothing }).seconds == 0)
  }

  @Test("a run's own ranker comes first: its answers, its training, its accuracy")
  func ownRanker() throws {
    let own = RunForecast.RankerWork(
      prompts: 4, answersEach: 2, comparisons: 15, heldout: 5, answerTokens: 3)
    let head = try forecast(tiny(), own: own)
    #expect(
      head.stages.prefix(3).map(\.stage) == ["bootstrap", "train-ranker", "evaluate-ranker"])
    #expect(try stage("bootstrap", head).tokens == 4 * 7 + 8 * 3)
    #expect(try stage("train-ranker", head).tokens == 15 * (7 + 6))
    #expect(try stage("evaluate-ranker", head).tokens == 5 * (7 + 6))
    let full = try forecast(tiny(), own: own) {
      $0.trainRanker.scope = .full
      $0.trainRanker.epochs = 2
    }
    #expect(try stage("train-ranker", full).tokens == 6 * 15 * (7 + 6))
    #expect(
      try stage("train-ranker", full).memoryBytes
        == stage("train-ranker", head).memoryBytes + 12 * tiny().parameters)
  }

  @Test("decoding a small batch is bound by the memory that every step reads")
  func memoryBound() throws {
    let slow = MachineRates(products: 1e30, memory: 1, threads: 1)
    let found = try stage("generate", forecast(nil, rates: slow))
    // 264 tokens in steps of 6, four bytes of 2600 + 500 weights each.
    #expect(abs(found.seconds - 44 * 4 * 3100) < 1e-6 * found.seconds)
  }

  @Test("memory: what is held, and whether it fits")
  func memory() throws {
    let found = try forecast(tiny())
    let parameters = try tiny().parameters
    #expect(found.holdings[0].bytes == 4 * parameters)
    let adam = try forecast(tiny()) { $0.train.optimizer = .adamw }
    #expect(
      try stage("train", adam).memoryBytes - stage("train", found).memoryBytes == 4 * parameters)
    #expect(found.fits)
    var small = found
    small.totalBytes = 1e4
    #expect(!small.fits)
    #expect(
      small.lines { $0.map { $0.joined(separator: "|") } }.contains { $0.contains("not fit") })
  }

  @Test("the machine's memory is read at a rate that such machines have")
  func rate() {
    let found = MachineRates.memoryRate(2)
    #expect(found > 1e8 && found < 1e13)
  }
}

@Suite("Prompts of each iteration") struct PromptSetTests {
  private func prompts(_ count: Int, _ name: String) -> [Prompt] {
    (0..<count).map {
      Prompt(
        index: $0, id: "p\($0)", messages: [ChatMessage(role: "user", content: "\(name)\($0)")])
    }
  }

  @Test("a set each, as the file has it; fewer are drawn by the seed")
  func oneEach() throws {
    let sets = [prompts(5, "a"), prompts(7, "b")]
    let all = try PromptSlices(oneEach: sets, perIteration: 0, seed: 1, source: "x{t}")
    #expect(all.slices == sets)
    let some = try PromptSlices(oneEach: sets, perIteration: 4, seed: 1, source: "x{t}").slices
    #expect(some.map(\.count) == [4, 4])
    #expect(Set(some[1].map(\.index)).count == 4)
    #expect(some[1].allSatisfy { $0.messages[0].content.hasPrefix("b") })
    #expect(throws: RunError.tooFewPrompts(path: "x1", found: 5, needed: 6)) {
      try PromptSlices(oneEach: sets, perIteration: 6, seed: 1, source: "x{t}")
    }
  }
}
