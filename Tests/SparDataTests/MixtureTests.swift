import SparText
import Testing

@testable import SparData

@Suite("Mixtures and shuffles") struct MixtureTests {
  private func folder(_ counts: [Int]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (file, count) in counts.enumerated() {
      let lines = (0..<count).map { #"{"prompt": "\#(file)-\#($0)"}"# }
      try folder.write("\(file).jsonl", lines.joined(separator: "\n"))
    }
    return folder
  }

  private func prompts(_ mixture: DataMixture) throws -> ([String], [MixtureReader.Count]) {
    let reader = MixtureReader(mixture)
    var texts: [String] = []
    while let (row, form) = try reader.nextWithForm() {
      #expect(form == .prompts)
      texts.append(row["prompt"]?.string ?? "")
    }
    return (texts, reader.counts)
  }

  @Test("the first int(fraction n) rows of each source, in order, with counts")
  func first() throws {
    let folder = try folder([7, 3])
    let text = "\(folder["0.jsonl"]):0.5,\(folder["1.jsonl"])"
    let (texts, counts) = try prompts(DataMixture(text))
    #expect(texts == ["0-0", "0-1", "0-2", "1-0", "1-1", "1-2"])
    #expect(counts.map(\.rows) == [3, 3] && counts.map(\.of) == [7, nil])
    #expect(counts[0].form == "prompts")
  }

  @Test("a seeded sample has exactly int(fraction n) rows, each as likely", arguments: [0.25, 0.5])
  func sample(fraction: Double) throws {
    let folder = try folder([20])
    var seen = [String: Int]()
    for seed in 0..<200 {
      let mixture = DataMixture(
        sources: [.init(path: folder["0.jsonl"], fraction: fraction)],
        choice: .sample(seed: UInt64(seed)))
      let (texts, _) = try prompts(mixture)
      #expect(texts.count == Int(fraction * 20) && Set(texts).count == texts.count)
      for text in texts { seen[text, default: 0] += 1 }
      if seed == 0 { #expect(try prompts(mixture).0 == texts) }
    }
    // 200 draws with this chance each: five standard deviations.
    let mean = 200 * fraction
    let width = 5 * (mean * (1 - fraction)).squareRoot()
    #expect(seen.count == 20 && seen.values.allSatisfy { abs(Double($0) - mean) < width })
  }

  @Test("paths, fractions and what is wrong with them")
  func parsing() throws {
    let folder = try folder([1, 1])
    let parsed = try DataMixture("a.parquet:0.5, b.jsonl:1.0,c.csv")
    #expect(parsed.sources.map(\.path) == ["a.parquet", "b.jsonl", "c.csv"])
    #expect(parsed.sources.map(\.fraction) == [0.5, 1, 1])
    #expect(try DataMixture(folder.path).sources.map(\.path) == [folder.path])
    #expect(try DataMixture("data:x").sources.map(\.path) == ["data:x"])
    for text in ["a.jsonl:0", "a.jsonl:1.5", "a.jsonl:-1", "a.jsonl,"] {
      #expect(throws: DataError.self) { try DataMixture(text) }
    }
  }

  @Test("rows are counted from the footer, or by reading")
  func counting() throws {
    #expect(try DataMixture.count(ParquetFixtures.path("types.parquet")) == 3)
    let folder = try folder([5, 4])
    #expect(try DataMixture.count(folder.path) == 9)
  }

  private func shuffled(_ count: Int, seed: UInt64, window: Int) throws -> [Int] {
    let folder = try folder([count])
    let reader = ShuffledRows(
      try FilesReader(path: folder["0.jsonl"]), seed: seed, window: window)
    return try rows(reader).map { $0.place.number }
  }

  @Test("a shuffle gives every row once, by its seed", arguments: [1, 3, 10, 100])
  func shuffle(window: Int) throws {
    let order = try shuffled(40, seed: 7, window: window)
    #expect(order.sorted() == Array(1...40))
    #expect(try shuffled(40, seed: 7, window: window) == order)
    if window > 1 { #expect(try shuffled(40, seed: 8, window: window) != order) }
    // No row comes more than the window early.
    for (place, number) in order.enumerated() { #expect(number - 1 - place <= window) }
    if window == 1 { #expect(order == Array(1...40)) }
  }
}
