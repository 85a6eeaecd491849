import Foundation
import RankerFixtures
import SparHost
import SparPreference
import SparTensor
import Testing

/// Laws of every ranker that runs a model, on random texts.
@Suite(
  "Laws of rankers",
  .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct LawTests {
  static let names = ["gpm", "bradley-terry", "pair-lm", "judge"]
  let gpm: GoldenGPM
  let bt: GoldenGPM

  init() throws {
    gpm = try GoldenGPM(try #require(shared))
    bt = try GoldenGPM(try #require(shared), weights: "bt")
    // Every byte is a token, so that any text can be read; <t3> and <t4> are the labels.
    for golden in [gpm, bt] { try layByteTokenizer(in: golden.folder.path) }
  }

  private func make(_ name: String) throws -> AnswerRanker {
    switch name {
    case "bradley-terry": try ranker(name, ["model": bt.folder.path])
    case "pair-lm":
      try ranker(name, ["model": gpm.folder.path, "max-tokens": "200"])
    case "judge":
      try ranker(
        name, ["model": gpm.folder.path, "prompt_file": judgePrompt])
    default: try ranker(name, ["model": gpm.folder.path])
    }
  }

  private var judgePrompt: String {
    get throws {
      let path = gpm.folder.file("ask.txt")
      try Data("{prompt}?{a}|{b} A B".utf8).write(to: URL(fileURLWithPath: path))
      return path
    }
  }

  private func texts(_ k: Int, _ random: inout Random) -> [String] {
    (0..<k).map { _ in
      let length = Int(random.next() % 24)
      return String(
        decoding: (0..<length).map { _ in UInt8(97 + random.next() % 26) }, as: UTF8.self)
    }
  }

  @Test(
    "permuting the answers permutes the table, to the bit", arguments: names, [1, 2, 3] as [UInt64])
  func permutation(name: String, seed: UInt64) throws {
    var random = Random(seed: seed, stage: .shuffle)
    let ranker = try make(name)
    let answers = texts(5, &random)
    let order = random.permutation(5)
    let plain = try ranker.compare([query("ask", answers)])[0].values
    let moved = try ranker.compare([query("ask", order.map { answers[$0] })])[0].values
    #expect(isPermuted(moved, plain, order), "seed \(seed): \(plain) \(moved)")
  }

  @Test("other queries and their order change nothing, to the bit", arguments: names)
  func batches(name: String) throws {
    var random = Random(seed: 7, stage: .shuffle)
    let ranker = try make(name)
    let queries = (0..<6).map { query("q\($0)", texts(3, &random)) }
    let together = try ranker.compare(queries).map(\.values)
    let reversed = try ranker.compare(queries.reversed()).map(\.values)
    #expect(together == reversed.reversed())
    for (place, one) in queries.enumerated() {
      #expect(try ranker.compare([one])[0].values == together[place])
    }
  }

  @Test("one answer, two and 64, and none of them written", arguments: names, [1, 2, 64])
  func sizes(name: String, k: Int) throws {
    var random = Random(seed: 3, stage: .shuffle)
    let ranker = try make(name)
    for answers in [texts(k, &random), [String](repeating: "", count: k)] {
      let table = try ranker.compare([query("ask", answers)])[0]
      #expect(table.values.count == k * k && table.values.allSatisfy { $0.isFinite })
      #expect((0..<k).allSatisfy { table.values[$0 * k + $0] == 0 })
    }
  }

  @Test("a megabyte of answer is cut and counted, or counted as a failure", arguments: names)
  func long(name: String) throws {
    let ranker = try make(name)
    let table = try ranker.compare([
      query("ask", ["short", String(repeating: "long ", count: 200_000), "brief"])
    ])[0]
    #expect(table.values.allSatisfy { $0.isFinite })
    if name == "judge" {
      #expect(table.failed == [false, true, false, true, false, true, false, true, false])
    } else {
      #expect(table.truncated == [false, true, false] && table.failed.isEmpty)
    }
  }

  @Test("text of any bytes is read", arguments: names) func bytes(name: String) throws {
    let ranker = try make(name)
    let odd = String(decoding: [0xFF, 0x00, 0xC3, 0x28, 0xF0, 0x9F] as [UInt8], as: UTF8.self)
    let table = try ranker.compare([query(odd, [odd, "\u{0}", "e\u{301}🏳️‍🌈\u{2028}"])])[0]
    #expect(table.values.allSatisfy { $0.isFinite } && table.failed.isEmpty)
  }
}
