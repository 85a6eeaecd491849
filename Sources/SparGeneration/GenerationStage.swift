import Foundation
import SparCompute
import SparData
import SparHost
import SparModel
import SparStore
import SparText

/// What a generation run did.
public struct GenerationSummary: Equatable, Sendable, Codable {
  public var prompts = 0
  public var answers = 0
  public var tokens = 0
  public var prefilledTokens = 0
  /// Prompts whose answers an earlier, interrupted run had left.
  public var resumed = 0
  public var seconds = 0.0
  public var prefillSeconds = 0.0
  public var decodeSeconds = 0.0
  public var meanTokens = 0.0
  /// Share of answers that ended by themselves.
  public var ended = 0.0

  /// Decoded tokens of this run per second, prefill included.
  public var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}

/// The `generate` stage: K answers for every prompt of a shard, into candidates.h5.
///
/// Finished prompts go to a journal beside the output at once; a run that was killed goes on from
/// there, and the file appears under its name only when it is complete.
public struct GenerationStage {
  private let model: LanguageModel
  private let options: GenerationOptions
  private let threads: Int

  public init(_ model: LanguageModel, _ options: GenerationOptions, threads: Int) throws {
    try options.validate()
    self.model = model
    self.options = options
    self.threads = threads
  }

  /// Answers `prompts` (all of the file: the shard is cut here) and writes `output`.
  ///
  /// - Parameter answered: gets every finished prompt with its ids and answers, before they are
  ///   noted as done; those of an earlier, interrupted run first.
  @discardableResult
  public func run(
    prompts: [Prompt], source: String, output: String, progress: ProgressHandler = { _ in },
    cancelled: () -> Bool = { false },
    answered observe: (Prompt, [Int32], [CandidateAnswer]) throws -> Void = { _, _, _ in }
  ) throws -> GenerationSummary {
    let shard = Array(prompts[options.shardRows(of: prompts.count)])
    guard !shard.isEmpty else {
      throw GenerationError.noPrompts(path: source, shard: options.shard)
    }
    let encoded = try shard.map { try encode($0) }
    let journal = try Journal(path: output + ".journal", key: try key(shard))
    var answered: [Int: [CandidateAnswer]] = [:]
    for line in journal.resumed {
      let entry = try JSONDecoder().decode(JournalEntry.self, from: line)
      answered[entry.index] = entry.answers.map(\.answer)
    }
    let places = Dictionary(
      shard.indices.map { (shard[$0].index, $0) }, uniquingKeysWith: { first, _ in first })
    for (place, prompt) in shard.enumerated() {
      if let answers = answered[prompt.index] { try observe(prompt, encoded[place], answers) }
    }
    var summary = GenerationSummary()
    summary.resumed = answered.count
    let jobs = zip(shard, encoded).filter { answered[$0.0.index] == nil }
      .map { BatchDecoder.Job(index: $0.0.index, prompt: $0.1) }
    let decoder = BatchDecoder(
      model, options, longestPrompt: encoded.map(\.count).max() ?? 1, threads: threads)
    let start = ContinuousClock.now
    func elapsed() -> Double { (ContinuousClock.now - start) / .seconds(1) }
    func report() {
      let rate = Double(decoder.decodedTokens) / max(elapsed(), 1e-9)
      progress(
        Progress(
          stage: "generate", done: Double(answered.count), total: Double(shard.count),
          unit: "prompts", detail: "\(Int(rate)) tokens/s"))
    }
    report()
    var wasCancelled = false
    try decoder.run(
      jobs,
      cancelled: {
        report()
        wasCancelled = cancelled()
        return wasCancelled
      },
      finished: { job, answers in
        answered[job.index] = answers
        if let place = places[job.index] { try observe(shard[place], job.prompt, answers) }
        try journal.append(
          JSONEncoder().encode(
            JournalEntry(index: job.index, answers: answers.map(JournalAnswer.init))))
      })
    if wasCancelled, answered.count < shard.count {
      throw GenerationError.cancelled(
        done: answered.count, of: shard.count, journal: journal.path)
    }
    summary.seconds = elapsed()
    summary.tokens = decoder.decodedTokens
    summary.prefillSeconds = decoder.prefillTime / .seconds(1)
    summary.decodeSeconds = decoder.decodeTime / .seconds(1)
    summary.prefilledTokens = decoder.prefilledTokens
    let table = table(shard, encoded, answered)
    try CandidatesFile.write(to: output, table, attributes: attributes())
    try journal.remove()
    report()
    describe(table, &summary)
    return summary
  }

  private func encode(_ prompt: Prompt) throws -> [Int32] {
    let ids =
      switch (prompt.ids, options.rendering) {
      case (let given?, _): given
      case (nil, .exact): try model.prompt(prompt.messages)
      case (nil, .upstream): try UpstreamRendering(model.chat).generationPrompt(prompt.messages)
      }
    let vocabulary = 0..<Int32(model.config.vocabularySize)
    if let problem = Self.problem(ids, vocabulary: vocabulary) {
      throw GenerationError.promptIDs(id: prompt.id, problem: problem)
    }
    guard ids.count + options.maxNewTokens <= model.config.maxPositions else {
      throw GenerationError.promptTooLong(
        id: prompt.id, tokens: ids.count, newTokens: options.maxNewTokens,
        limit: model.config.maxPositions)
    }
    return ids
  }

  /// Why a model cannot go on from `ids`; nil where it can.
  private static func problem(_ ids: [Int32], vocabulary: Range<Int32>) -> String? {
    if let id = ids.first(where: { !vocabulary.contains($0) }) {
      return "id \(id) is not in the vocabulary of \(vocabulary.upperBound)"
    }
    return ids.isEmpty ? "no token" : nil
  }

  /// What the answers depend on: batch size and threads are not part of it.
  private func key(_ shard: [Prompt]) throws -> String {
    var settings = options
    settings.batchSize = 1
    settings.shard = 0
    settings.shardLength = 0
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var text = try encoder.encode(settings) + Data(model.digest.utf8)
    for prompt in shard {
      text += Data("\(prompt.index)\u{0}".utf8) + (try encoder.encode(prompt.messages))
      if let ids = prompt.ids { text += try encoder.encode(ids) }
    }
    var hash = SHA256()
    hash.update([UInt8](text))
    return hash.hexDigest()
  }

  private func table(
    _ shard: [Prompt], _ encoded: [[Int32]], _ answered: [Int: [CandidateAnswer]]
  ) -> CandidateTable {
    CandidateTable(
      K: options.pairs,
      rows: zip(shard, encoded).map { prompt, ids in
        CandidateGroup(
          promptIndex: prompt.index, promptID: prompt.id,
          messages: prompt.messages.map { .init(role: $0.role, content: $0.content) },
          promptIDs: ids, answers: answered[prompt.index] ?? [],
          row: prompt.row)
      })
  }

  private func attributes() -> [String: AttributeValue] {
    var attributes: [String: AttributeValue] = [
      "model": .string(model.path), "model_digest": .string(model.digest),
      "seed": .unsigned(options.seed),
      "temperature": .double(options.temperature), "top_p": .double(options.topP),
      "top_k": .int(Int64(options.topK)), "max_new_tokens": .int(Int64(options.maxNewTokens)),
      "iteration": .int(Int64(options.iteration)), "backend": .string(model.backend.name),
    ]
    if let tokenizer = model.storedTokenizer {
      attributes["tokenizer_digest"] = .string(tokenizer.digest)
    }
    if options.rendering != .exact {
      attributes["render"] = .string(options.rendering.rawValue)
    }
    return attributes
  }

  private func describe(_ table: CandidateTable, _ summary: inout GenerationSummary) {
    let answers = table.rows.flatMap(\.answers)
    summary.prompts = table.rows.count
    summary.answers = answers.count
    let count = Double(max(answers.count, 1))
    summary.meanTokens = Double(answers.reduce(0) { $0 + $1.ids.count }) / count
    summary.ended = Double(answers.count { $0.finish == .stop }) / count
  }
}

/// A line of the journal: one prompt's answers, log-probabilities as bit patterns.
private struct JournalEntry: Codable {
  var index: Int
  var answers: [JournalAnswer]
}

private struct JournalAnswer: Codable {
  var ids: [Int32]
  var bits: [UInt32]
  var finish: Int8
  var text: String

  init(_ answer: CandidateAnswer) {
    ids = answer.ids
    bits = answer.logps.map(\.bitPattern)
    finish = answer.finish.rawValue
    text = answer.text
  }

  var answer: CandidateAnswer {
    CandidateAnswer(
      ids: ids, logps: bits.map(Float.init(bitPattern:)),
      finish: CandidateAnswer.Finish(rawValue: finish) ?? .length, text: text)
  }
}
