import Foundation
import RankerFixtures
import SparData
import SparModel
import SparPipeline
import SparPreference
import SparStore
import SparText
import SparTraining
import Testing

/// What a run of the published code leaves: four prompts, three answers each, two shards.
private struct UpstreamRun {
  let folder: Folder
  static let count = 4
  static let answers = (0..<3).map { p in
    (0..<count).map { row in p == 2 && row == 1 ? "" : "\(p)th “answer”\nto \(row) \\ \"x\"" }
  }

  init() throws {
    folder = try Folder()
    try TinyPolicy.mistral.lay(in: folder.file("policy"))
    for name in ["generated", "ranking"] {
      try FileManager.default.createDirectory(
        atPath: folder.file(name), withIntermediateDirectories: true)
    }
    let prompts = (0..<Self.count).map {
      "{\"prompt\": \"Question \($0)?\", \"prompt_id\": \"id-\($0)\", \"source\": \"s\"}\n"
    }
    try write("prompts.jsonl", prompts.joined())
    for (p, texts) in Self.answers.enumerated() {
      // Python escapes what is not ASCII.
      let list = texts.map { JSONWriter.quoted($0).replacing("“", with: "\\u201c") }
      try write("generated/responses_\(p).json", "[\(list.joined(separator: ", "))]")
    }
  }

  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: folder.file(name))
  }

  /// M of shard 0 and 1, two prompts each: numbers that f32 holds.
  static func table(_ shard: Int) -> NPYArray {
    var values: [Double] = []
    for row in 0..<2 {
      for i in 0..<3 {
        for j in 0..<3 {
          values.append(i == j ? 0 : Double(Float(0.3) * Float((i - j) * (row + 1) + shard)))
        }
      }
    }
    return NPYArray(shape: [2, 3, 3], values: values)
  }

  static func scores(_ shard: Int) -> NPYArray {
    let raw = table(shard).values
    let scores = (0..<2).flatMap { row in
      ProbabilityRule.scores(raw: Array(raw[(row * 9)..<(row * 9 + 9)]), k: 3)
        .map { Double(Float($0)) }
    }
    return NPYArray(shape: [2, 3], values: scores)
  }

  func rank(tables: Bool = true, scores: Bool = true) throws {
    for shard in 0..<2 {
      let name = folder.file("ranking/\(shard)_\(shard)")
      if tables { try Self.table(shard).write(to: name + "_table.npy") }
      if scores { try Self.scores(shard).write(to: name + ".npy") }
    }
  }

  var candidates: String { folder.file("candidates.h5") }
  var preferences: String { folder.file("preferences.h5") }

  var importer: UpstreamImport {
    UpstreamImport(model: folder.file("policy"), prompts: folder.file("prompts.jsonl"))
  }

  @discardableResult
  func importAll(rule: ProbabilityRule? = nil) throws -> [String: Int] {
    _ = try importer.candidates(generated: folder.file("generated"), output: candidates)
    return try UpstreamImport.preferences(
      ranking: folder.file("ranking"), candidates: candidates, rule: rule,
      selection: PairSelection(), output: preferences)
  }

  func export(logOdds: Bool = false) throws -> [String] {
    var export = UpstreamExport(folder: folder.file("again"), name: "data-tiny-iter1")
    export.writesLogOdds = logOdds
    return try export.write(candidates: candidates, preferences: preferences)
  }
}

@Suite("Files of the published pipeline") struct UpstreamFileTests {
  @Test("answers: the texts, with ids of the policy's tokenizer and its end token")
  func answers() throws {
    let run = try UpstreamRun()
    var importer = run.importer
    importer.maxNewTokens = 24
    let summary = try importer.candidates(
      generated: run.folder.file("generated"), output: run.candidates)
    #expect(summary.prompts == 4 && summary.answersPerPrompt == 3)
    let (table, attributes) = try CandidatesFile.read(run.candidates)
    #expect(table.rows.map { $0.answers.map(\.text) }[2] == UpstreamRun.answers.map { $0[2] })
    #expect(table.rows[1].promptID == "id-1")
    #expect(table.rows[3].messages == [.init(role: "user", content: "Question 3?")])
    let answer = table.rows[1].answers[2]
    #expect(answer.ids == [2] && answer.finish == .stop)
    // 27 bytes, of which the limit is 24.
    #expect(table.rows[0].answers[0].finish == .length)
    #expect(summary.cut == 11)
    #expect(attributes["model_digest"] == nil)
    #expect(table.rows[0].answers[0].logps.allSatisfy { $0.isNaN })
  }

  @Test("shards that were not combined are put together in their order")
  func shards() throws {
    let run = try UpstreamRun()
    _ = try run.importer.candidates(
      generated: run.folder.file("generated"), output: run.candidates)
    let combined = try CandidatesFile.read(run.candidates).table
    for (p, texts) in UpstreamRun.answers.enumerated() {
      try run.remove("generated/responses_\(p).json")
      for (shard, part) in [texts[..<3], texts[3...]].enumerated() {
        let list = JSONWriter.text(.array(part.map { .string($0) }))
        try run.write("generated/responses_\(shard)_\(p).json", list)
      }
    }
    _ = try run.importer.candidates(
      generated: run.folder.file("generated"), output: run.candidates)
    #expect(
      try CandidatesFile.read(run.candidates).table.rows.map(\.answers.first?.text)
        == combined.rows.map(\.answers.first?.text))
    try run.remove("generated/responses_0_1.json")
    let error = try #require(
      #expect(throws: DataError.self) {
        try run.importer.candidates(
          generated: run.folder.file("generated"), output: run.candidates)
      })
    #expect("\(error)".contains("responses_0_1.json: it is missing, K = 3 needs it"), "\(error)")
  }

  @Test("answers, tables and scores come back as the same numbers and texts")
  func roundTrip() throws {
    let run = try UpstreamRun()
    try run.rank()
    let statuses = try run.importAll()
    #expect(statuses == ["kept": 4])
    let files = try run.export()
    #expect(files.count == 8)
    let again = run.folder.file("again")
    for (p, texts) in UpstreamRun.answers.enumerated() {
      let path = "\(again)/generated/data-tiny-iter1/responses_\(p).json"
      let node = try JSONParser.parse(Data(contentsOf: URL(fileURLWithPath: path)))
      #expect(node == .array(texts.map { .string($0) }))
    }
    let ranking = again + "/ranking/data-tiny-iter1/0_0"
    let tables = (0..<2).flatMap { UpstreamRun.table($0).values }
    #expect(try NPYArray(ranking + "_table.npy") == NPYArray(shape: [4, 3, 3], values: tables))
    let scores = (0..<2).flatMap { UpstreamRun.scores($0).values }
    #expect(try NPYArray(ranking + ".npy") == NPYArray(shape: [4, 3], values: scores))
    // And what was written can be taken over again.
    let other = run.folder.file("other.h5")
    let found = try UpstreamImport.preferences(
      ranking: again + "/ranking/data-tiny-iter1", candidates: run.candidates, rule: nil,
      selection: PairSelection(), output: other)
    #expect(found == statuses)
    #expect(try PreferencesFile.read(other).table == PreferencesFile.read(run.preferences).table)
  }

  @Test("scores alone: upstream-score and no other rule, then or later")
  func scoresOnly() throws {
    let run = try UpstreamRun()
    try run.rank(tables: false)
    try run.importAll()
    let (table, attributes) = try PreferencesFile.read(run.preferences)
    #expect(attributes["probability_rule"] == .string("upstream-score"))
    let s = UpstreamRun.scores(0).values
    #expect(table.score.prefix(6) == s[...])
    #expect(table.winProbability[1] == ProbabilityRule.sigmoid(s[0] - s[1]))
    #expect(throws: PairDerivation.Failure.self) { try run.importAll(rule: .meanOfOrders) }
    let output = run.folder.file("derived.h5")
    #expect(throws: PairDerivation.Failure.scoresOnly(run.preferences)) {
      try PairDerivation(rule: .upstreamTable, selection: PairSelection()).run(
        preferences: run.preferences, candidates: run.candidates, output: output)
    }
    try PairDerivation(rule: .upstreamScore, selection: PairSelection()).run(
      preferences: run.preferences, candidates: run.candidates, output: output)
    #expect(try PreferencesFile.read(output).table == table)
    // The exporter makes up no tables.
    #expect(try run.export().contains { $0.hasSuffix("_table.npy") } == false)
  }

  @Test("training data: pairs from the files are those of the ranking", arguments: [false, true])
  func trainingData(logOdds: Bool) throws {
    let run = try UpstreamRun()
    try run.rank()
    try run.importAll()
    let files = try run.export(logOdds: logOdds)
    let all = try #require(files.first { $0.hasSuffix("/train_table.parquet") })
    let pairs = try #require(files.first { $0.hasPrefix("synthetic_data_tiny-iter1_score/") })
    let options = TrainingOptions()
    let expected = try StoredPreferences(
      preferences: run.preferences, candidates: run.candidates
    ).groups(options, modelDigest: "")
    let encoder = try TinyEncoder(run.folder.file("policy"))
    func read(_ file: String, logOdds: Bool) throws -> [TrainingGroup] {
      try PairsFile.read(
        PairsSource(
          mixture: DataMixture(run.folder.file("again/" + file)), readsLogOdds: logOdds),
        encoder: encoder, options: options
      ).groups
    }
    for (groups, file) in [
      (try read(all, logOdds: false), all), (try read(pairs, logOdds: logOdds), pairs),
    ] {
      #expect(groups.count == expected.count)
      // The published rule takes an empty answer, too, which Spar's ranking sets aside.
      for (found, stored) in zip(groups, expected) where file == pairs || stored.row != 1 {
        #expect(found.promptIDs == stored.promptIDs)
        #expect(found.answers.map(\.ids) == stored.answers.map(\.ids))
        for (a, b) in zip(found.answers, stored.answers) {
          // Of log-odds of a pair, mean win rates do not follow.
          if !logOdds || file == all { #expect(abs(a.winProb - b.winProb) < 1e-12) }
          if logOdds { #expect(abs(a.meanScore - b.meanScore) < 1e-12) }
        }
        for (a, b) in zip(found.pairwise, stored.pairwise) { #expect(abs(a - b) < 1e-12) }
        if logOdds { #expect(found.score == stored.score) }
      }
    }
  }

  @Test("what does not fit names file, value and cure")
  func misfits() throws {
    let run = try UpstreamRun()
    try run.rank()
    _ = try run.importer.candidates(
      generated: run.folder.file("generated"), output: run.candidates)
    func expect(_ parts: String..., body: () throws -> Void) throws {
      let error = try #require(#expect(throws: (any Error).self) { try body() })
      for part in parts { #expect("\(error)".contains(part), "\(error)") }
    }
    func rank() throws {
      _ = try UpstreamImport.preferences(
        ranking: run.folder.file("ranking"), candidates: run.candidates, rule: nil,
        selection: PairSelection(), output: run.preferences)
    }
    try NPYArray(shape: [1, 3, 3], values: Array(repeating: 0, count: 9))
      .write(to: run.folder.file("ranking/1_1_table.npy"))
    try expect("1_1_table.npy", "3 ranked prompts", "has 4", "all its shards") { try rank() }
    try NPYArray(shape: [2, 2, 2], values: Array(repeating: 0, count: 8))
      .write(to: run.folder.file("ranking/1_1_table.npy"))
    try expect("1_1_table.npy", "[2, 2, 2]", "one K") { try rank() }
    try NPYArray(shape: [2, 3, 3], values: Array(repeating: .nan, count: 18))
      .write(to: run.folder.file("ranking/1_1_table.npy"))
    try expect("1_1_table.npy", "row 0", "nan", "rank this shard again") { try rank() }
    // Tables of one ranking, scores of another.
    try NPYArray(shape: [2, 3, 3], values: UpstreamRun.table(1).values.map { 3 * $0 })
      .write(to: run.folder.file("ranking/1_1_table.npy"))
    try expect("prompt 2", "of two rankings") { try rank() }
    try run.remove("ranking/0_0_table.npy")
    try expect("no file of shard 0", "rank that shard") { try rank() }
    try run.write("generated/responses_1.json", "[\"a\", \"b\"]")
    try expect("responses_1.json", "2 answers", "4") {
      _ = try run.importer.candidates(
        generated: run.folder.file("generated"), output: run.candidates)
    }
    try run.write("generated/responses_1.json", "[\"a\", 3]")
    try expect("responses_1.json", "element 1", "not a text") {
      _ = try run.importer.candidates(
        generated: run.folder.file("generated"), output: run.candidates)
    }
    try run.write("prompts.jsonl", "{\"prompt\": \"one\"}\n")
    var importer = run.importer
    importer.pairs = 1
    try expect("4 answers", "1 prompts", "in its order") {
      _ = try importer.candidates(
        generated: run.folder.file("generated"), output: run.candidates)
    }
  }
}

/// A policy's tokenizer and template without its weights.
private struct TinyEncoder: PairEncoder {
  let chat: ChatEncoder
  let beginID: Int32? = nil

  init(_ folder: String) throws { chat = try ModelFiles.open(folder).chat() }

  func prompt(_ messages: [PairMessage]) throws -> [Int32] {
    let turns = messages.map { ChatMessage(role: $0.role, content: $0.content) }
    return chat.tokenizer.encode(try chat.render(turns, addGenerationPrompt: true) ?? "")
  }

  func text(_ text: String) -> [Int32] { chat.tokenizer.encode(text) }

  func answer(_ text: String) -> [Int32] { chat.tokenizer.encode(text) + chat.endIDs.prefix(1) }
}
