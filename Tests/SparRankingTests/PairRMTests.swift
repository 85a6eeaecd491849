import Foundation
import RankerFixtures
import SparCompute
import SparHost
import SparModel
import SparRanking
import Testing

/// PairRM's tables through plugin, host extension, tokenizer, encoder and head.
@Suite(
  "Golden PairRM",
  .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct PairRMTests {
  let golden: GoldenPairRM

  init() throws { golden = try GoldenPairRM(try #require(shared)) }

  func ranker(
    _ backend: Backend = .reference(), _ options: [String: String] = [:]
  ) throws -> Ranker {
    let host = PluginHost(search: PluginSearch(), threads: 2)
    let models = TextModelExtension { try TextModels.load($0, backend: backend) }
    host.register(extension: TextModelExtension.id, models.table)
    return try host.makeRanker(
      "pairrm", options: options.merging(["model": golden.folder.path]) { given, _ in given })
  }

  func query(_ source: String? = nil, _ answers: [String]? = nil) throws -> RankQuery {
    RankQuery(
      messages: [(role: "user", content: try source ?? golden.text("source"))],
      responses: try answers ?? golden.candidates)
  }

  func isClose(_ found: [Double], _ expected: [Float], _ tolerance: Double = 1e-4) -> Bool {
    found.count == expected.count
      && zip(found, expected).allSatisfy { abs($0 - Double($1)) <= tolerance }
  }

  /// The table of one prompt alone.
  func raw(
    _ ranker: Ranker, _ source: String? = nil, _ answers: [String]? = nil
  ) throws -> [Double] {
    try ranker.rank([query(source, answers)])[0].raw
  }

  @Test("the table of every ordered pair, and its scores", arguments: ["reference", "openblas"])
  func table(backend: String) throws {
    let host = PluginHost(search: PluginSearch(), threads: 2)
    let ranker = try ranker(try host.backend(backend, threads: 2))
    let result = try #require(try ranker.rank([query()]).first)
    let (table, scores) = (try golden.floats("M"), try golden.floats("S"))
    #expect(isClose(result.raw, table), "\(result.raw)")
    #expect(isClose(try #require(result.score), scores))
  }

  @Test("permuting the answers permutes the table; batches and repetition change no bit")
  func laws() throws {
    let ranker = try ranker()
    let answers = try golden.candidates
    let table = try raw(ranker)
    let order = [2, 0, 3, 1]
    let permuted = try raw(ranker, nil, order.map { answers[$0] })
    for (i, from) in order.enumerated() {
      for (j, to) in order.enumerated() { #expect(permuted[i * 4 + j] == table[from * 4 + to]) }
    }
    let other = try query("<t9><t8><t7>", [answers[0], answers[1], answers[0]])
    let together = try ranker.rank([other, query(), other])
    #expect(together[1].raw == table)
    #expect(together[0].raw == together[2].raw)
    #expect(together[0].raw[1] == together[0].raw[7], "equal answers, equal numbers")
    let alone = try ranker.rank([other])[0].raw
    #expect(alone == together[0].raw)
  }

  @Test("one answer, empty answers, no text at all") func small() throws {
    let queries = [
      try query(nil, ["<t5>"]), try query("", ["", "<t5>"]), try query(nil, ["", ""]),
    ]
    let results = try ranker().rank(queries)
    #expect(results[0].raw == [0])
    let areFinite = results[1].raw.allSatisfy { $0.isFinite }
    #expect(areFinite)
    #expect(results[2].raw[1] == results[2].raw[2])
  }

  @Test("prompt and answers are cut at their ends, a short prompt leaving room for answers")
  func limits() throws {
    // Source 12 of 20 tokens: answers have 6 + (20 - 12) / 2 = 10, seven of them text.
    let cut = try ranker(
      .reference(), ["source-max-length": "20", "candidate-max-length": "6"])
    let long = (10..<30).map { "<t\($0)>" }
    let whole = try ranker()
    let expected = try raw(whole, nil, [long.prefix(7).joined(), "<t5>"])
    let found = try raw(cut, nil, [long.joined(), "<t5>"])
    #expect(found == expected)
    // Source cut to 20: answers have 6.
    let short = try raw(whole, long.prefix(17).joined(), ["<t4><t5><t6>", "<t7>"])
    let both = try raw(cut, long.joined(), ["<t4><t5><t6><t7>", "<t7>"])
    #expect(both == short)
    let answers = [long.joined(), "<t5>"]
    #expect(try cut.rank([query(nil, answers)])[0].truncated == [true, false])
    #expect(try cut.rank([query(long.joined(), answers)])[0].truncated == [true, true])
    #expect(try whole.rank([query(nil, answers)])[0].truncated == [false, false])
  }

  @Test("a separator in the text is a space") func separators() throws {
    let ranker = try ranker()
    let table = try raw(ranker, nil, ["<t5>[SEP]<t6>", "<t7>"])
    let spaced = try raw(ranker, nil, ["<t5> <t6>", "<t7>"])
    #expect(table == spaced)
  }

  @Test("of several turns, each is a line") func turns() throws {
    let ranker = try ranker()
    var many = try query()
    many.messages = [
      (role: "user", content: "<t5>"), (role: "assistant", content: "<t6>"),
      (role: "user", content: "<t7>"),
    ]
    let table = try ranker.rank([many])[0].raw
    let lines = try raw(ranker, "USER: <t5>\nAssistant: <t6>\nUSER: <t7>")
    #expect(table == lines)
  }

  @Test("a folder without the head, or with a causal model, is refused with the cure")
  func refused() throws {
    let gpm = try GoldenGPM(try #require(shared))
    #expect(throws: PluginError.self) {
      try ranker(.reference(), ["model": gpm.folder.path])
    }
    let encoder = try GoldenPairRM(try #require(shared))
    let path = encoder.folder.file("model.safetensors")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let name = try #require(bytes.range(of: Data("head_layer.4.bias".utf8)))
    bytes.replaceSubrange(name, with: Data("head_layer.9.bias".utf8))
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: PluginError.self) {
      try ranker(.reference(), ["model": encoder.folder.path])
    }
    #expect("\(String(describing: error))".contains("head_layer.4.bias"))
  }
}
