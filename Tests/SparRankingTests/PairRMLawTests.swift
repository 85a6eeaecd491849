import Foundation
import RankerFixtures
import SparCompute
import SparHost
import SparModel
import SparRanking
import SparTensor
import Testing

/// Laws of pairrm on texts of any kind, with a tokenizer that reads every byte.
@Suite(
  "Laws of pairrm",
  .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct PairRMLawTests {
  let golden: GoldenPairRM
  let ranker: Ranker

  init() throws {
    golden = try GoldenPairRM(try #require(shared))
    try layBytePairTokenizer(in: golden.folder.path)
    let host = PluginHost(search: PluginSearch(), threads: 2)
    let backend = try host.backend(nil, threads: 2)
    let models = TextModelExtension { try TextModels.load($0, backend: backend) }
    host.register(extension: TextModelExtension.id, models.table)
    ranker = try host.makeRanker(
      "pairrm",
      options: [
        "model": golden.folder.path, "source-max-length": "60", "candidate-max-length": "40",
      ])
  }

  private func table(_ prompt: String, _ answers: [String]) throws -> RankResult {
    try #require(
      try ranker.rank([
        RankQuery(messages: [(role: "user", content: prompt)], responses: answers)
      ]).first)
  }

  private func texts(_ k: Int, seed: UInt64) -> [String] {
    var random = Random(seed: seed, stage: .shuffle)
    return (0..<k).map { _ in
      String(
        decoding: (0..<Int(random.next() % 12)).map { _ in UInt8(97 + random.next() % 26) },
        as: UTF8.self)
    }
  }

  @Test("one answer, two and 64, and none of them written", arguments: [1, 2, 64])
  func sizes(k: Int) throws {
    for answers in [texts(k, seed: 3), [String](repeating: "", count: k)] {
      let raw = try table("ask", answers).raw
      #expect(raw.count == k * k && raw.allSatisfy { $0.isFinite })
      #expect((0..<k).allSatisfy { raw[$0 * k + $0] == 0 })
    }
  }

  @Test("permuting the answers permutes the table, to the bit", arguments: [1, 2, 3] as [UInt64])
  func permutation(seed: UInt64) throws {
    let answers = texts(5, seed: seed)
    var random = Random(seed: seed, stage: .bootstrap)
    let order = random.permutation(5)
    let plain = try table("ask", answers).raw
    let moved = try table("ask", order.map { answers[$0] }).raw
    for i in 0..<5 {
      for j in 0..<5 {
        #expect(moved[i * 5 + j].bitPattern == plain[order[i] * 5 + order[j]].bitPattern)
      }
    }
  }

  @Test("a megabyte of answer is cut and counted") func long() throws {
    let found = try table("ask", ["short", String(repeating: "long ", count: 200_000), "brief"])
    #expect(found.raw.allSatisfy { $0.isFinite })
    #expect(found.truncated == [false, true, false])
  }

  @Test("text of any bytes is read") func bytes() throws {
    let odd = String(decoding: [0xFF, 0x00, 0xC3, 0x28, 0xF0, 0x9F] as [UInt8], as: UTF8.self)
    let found = try table(odd, [odd, "\u{0}", "e\u{301}🏳️‍🌈\u{2028}", "[SEP]<|candidate|>"])
    #expect(found.raw.allSatisfy { $0.isFinite })
  }

  @Test("without a model the option is asked for") func required() throws {
    let host = PluginHost(search: PluginSearch(), threads: 2)
    let error = #expect(throws: PluginError.self) { try host.makeRanker("pairrm", options: [:]) }
    #expect("\(try #require(error))".contains("model"))
  }
}

/// PairRM's tokens, and ids 4…127 for the bytes 0…123; other bytes have no token.
private func layBytePairTokenizer(in folder: String) throws {
  var names = (0..<133).map { "<t\($0)>" }
  let known: [Int: String] = [
    0: "[PAD]", 1: "[CLS]", 2: "[SEP]", 3: "[UNK]", 128: "[MASK]", 129: "<|source|>",
    130: "<|candidate1|>", 131: "<|candidate2|>", 132: "<|candidate|>",
  ]
  // Byte-level BPE writes bytes that are no printable ASCII from U+0100 on.
  for byte in 0..<124 {
    let isPlain = (33...126).contains(byte)
    names[4 + byte] = UnicodeScalar(isPlain ? byte : 256 + byte).map { String($0) } ?? ""
  }
  for (id, name) in known { names[id] = name }
  let vocabulary = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  // Added tokens are numbered from 0: those between the named ones never occur in a text.
  let added = (0..<133).map {
    AddedToken(known[$0] ?? "<unused \($0)>", isSpecial: known[$0] != nil)
  }
  try layTokenizer(in: folder, added: added, vocabulary: vocabulary)
}
