import SparCompute
import SparModel
import SparStore
import SparTensor

/// Decodes many answers together, starting the next as soon as one ends.
///
/// A prompt is computed once for all its answers.  What an answer becomes depends on its prompt's
/// index, its own number and the seed alone, not on its neighbours.
final class BatchDecoder {
  /// A prompt under way: its cache slots and what its last position predicts.
  private final class Group {
    let job: Job
    let prefix: Range<Int>
    let logits: Tensor
    let lse: (model: Float, tempered: Float)
    var answers: [CandidateAnswer?]
    var started = 0

    init(_ job: Job, prefix: Range<Int>, logits: Tensor, lse: (Float, Float), answers: Int) {
      self.job = job
      self.prefix = prefix
      self.logits = logits
      self.lse = lse
      self.answers = Array(repeating: nil, count: answers)
    }
  }

  private struct Running {
    let group: Group
    let answer: Int
    let slots: Range<Int>
    var ids: [Int32] = []
    var logps: [Float] = []
  }

  /// What to answer: the prompt's place in its file, and its tokens.
  struct Job {
    var index: Int
    var prompt: [Int32]
  }

  private let model: LanguageModel
  private let options: GenerationOptions
  private let sampler: Sampler
  private let team: ThreadTeam
  private let cache: KVCache
  private let endIDs: Set<Int32>
  /// Cache runs for answers that are not in use.
  private var freeRuns: [Range<Int>] = []
  private var running: [Running] = []
  private var current: Group?
  private(set) var decodedTokens = 0
  private(set) var prefilledTokens = 0
  private(set) var prefillTime = Duration.zero
  private(set) var decodeTime = Duration.zero

  /// `threads` are for sampling; the cache holds `batchSize` answers and their prompts.
  init(_ model: LanguageModel, _ options: GenerationOptions, longestPrompt: Int, threads: Int) {
    self.model = model
    self.options = options
    sampler = Sampler(
      temperature: options.temperature, topP: options.topP, topK: options.topK)
    team = ThreadTeam(threads: threads)
    endIDs = options.ignoreEnd ? [] : Set(model.endIDs)
    // Groups overlap while their last answers end, so there is room for twice the even share.
    let prompts = 2 * options.batchSize / options.pairs + 2
    let length = options.maxNewTokens
    cache = KVCache(
      model.config, slots: options.batchSize * length + prompts * longestPrompt,
      backend: model.backend)
    freeRuns = (0..<options.batchSize).compactMap { _ in cache.reserve(length) }.reversed()
  }

  /// Answers every job; `finished` gets each with its K answers, in order of finishing.
  func run(
    _ jobs: [Job], cancelled: () -> Bool, finished: (Job, [CandidateAnswer]) throws -> Void
  ) throws {
    var queue = jobs[...]
    while true {
      var done = try admit(&queue)
      if running.isEmpty && done.isEmpty { break }
      if !running.isEmpty && done.isEmpty { done = try step() }
      for group in done {
        cache.release(group.prefix)
        try finished(group.job, group.answers.compactMap { $0 })
      }
      if cancelled() { break }
    }
  }

  /// Starts answers until the batch is full; returns groups that ended at their first token.
  private func admit(_ queue: inout ArraySlice<Job>) throws -> [Group] {
    var done: [Group] = []
    while running.count < options.batchSize {
      if current == nil {
        guard let job = queue.first, let prefix = cache.reserve(job.prompt.count) else { break }
        queue.removeFirst()
        current = try prefill(job, prefix)
      }
      guard let group = current, let slots = freeRuns.popLast() else { break }
      var answer = Running(group: group, answer: group.started, slots: slots)
      group.started += 1
      if group.started == options.pairs { current = nil }
      let row = UnsafeBufferPointer(start: group.logits.floats, count: group.logits.count)
      extend(&answer, row, lse: group.lse)
      if isOver(answer) {
        if close(answer) { done.append(group) }
      } else {
        running.append(answer)
      }
    }
    return done
  }

  private func prefill(_ job: Job, _ prefix: Range<Int>) throws -> Group {
    let start = ContinuousClock.now
    defer { prefillTime += ContinuousClock.now - start }
    var batch = PackedBatch()
    let rows = batch.append(job.prompt)
    batch.spans = [AttentionSpan(queries: rows, keys: prefix)]
    let logits = try model.logits(
      batch, rows: [Int32(job.prompt.count - 1)],
      cached: CachedRows(cache, slots: prefix.map(Int32.init)))
    prefilledTokens += job.prompt.count
    let lse = try logSums(logits)
    return Group(
      job, prefix: prefix, logits: logits, lse: (lse.model[0], lse.tempered[0]),
      answers: options.pairs)
  }

  /// One token for every running answer; returns the groups that this completed.
  private func step() throws -> [Group] {
    let start = ContinuousClock.now
    defer { decodeTime += ContinuousClock.now - start }
    var batch = PackedBatch()
    var slots: [Int32] = []
    for (row, answer) in running.enumerated() {
      let own = answer.ids.count - 1
      let slot = answer.slots.lowerBound + own
      batch.ids.append(answer.ids[own])
      batch.positions.append(Int32(answer.group.job.prompt.count + own))
      batch.spans.append(
        AttentionSpan(
          queries: row..<(row + 1), prefix: answer.group.prefix,
          keys: answer.slots.lowerBound..<(slot + 1)))
      slots.append(Int32(slot))
    }
    let logits = try model.logits(batch, cached: CachedRows(cache, slots: slots))
    let lse = try logSums(logits)
    let width = logits.shape[1]
    let tokens = draw(count: running.count) { [running] row in
      self.sample(
        running[row], UnsafeBufferPointer(start: logits.floats + row * width, count: width),
        tempered: lse.tempered[row])
    }
    decodedTokens += running.count
    var done: [Group] = []
    var still: [Running] = []
    for (row, token) in tokens.enumerated() {
      var answer = running[row]
      answer.ids.append(token)
      answer.logps.append(logits.floats[row * width + Int(token)] - lse.model[row])
      if isOver(answer) {
        if close(answer) { done.append(answer.group) }
      } else {
        still.append(answer)
      }
    }
    running = still
    return done
  }

  /// log Σ exp of each row, plain and at the sampling temperature.
  private func logSums(_ logits: Tensor) throws -> (model: [Float], tempered: [Float]) {
    let backend = model.backend
    let plain = backend.tensor([logits.shape[0]])
    try backend.logSumExp(logits, inverseTemperature: 1, into: plain)
    if options.temperature == 0 || options.temperature == 1 {
      return (plain.array(), plain.array())
    }
    let tempered = backend.tensor([logits.shape[0]])
    try backend.logSumExp(
      logits, inverseTemperature: 1 / options.temperature, into: tempered)
    return (plain.array(), tempered.array())
  }

  private func draw(count: Int, _ token: (Int) -> Int32) -> [Int32] {
    var tokens = [Int32](repeating: 0, count: count)
    tokens.withUnsafeMutableBufferPointer { out in
      // Each index is written by one thread only.
      nonisolated(unsafe) let out = out
      team.forEach(count) { out[$0] = token($0) }
    }
    return tokens
  }

  /// The next token of `answer`: its own random stream, at its own position.
  private func sample(
    _ answer: Running, _ row: UnsafeBufferPointer<Float>, tempered: Float
  ) -> Int32 {
    var random = Random(
      seed: options.seed, stage: .generate, iteration: options.iteration,
      item: answer.group.job.index, sub: answer.answer, position: answer.ids.count)
    return sampler.draw(row, logSum: Double(tempered), uniform: random.uniform())
  }

  private func extend(
    _ answer: inout Running, _ row: UnsafeBufferPointer<Float>, lse: (model: Float, tempered: Float)
  ) {
    let token = sample(answer, row, tempered: lse.tempered)
    answer.ids.append(token)
    answer.logps.append(row[Int(token)] - lse.model)
    decodedTokens += 1
  }

  private func isOver(_ answer: Running) -> Bool {
    answer.ids.count >= options.maxNewTokens || answer.ids.last.map(endIDs.contains) == true
  }

  /// Files a finished answer; true when its group is complete.
  private func close(_ answer: Running) -> Bool {
    freeRuns.append(answer.slots)
    let hasEnded = answer.ids.last.map(endIDs.contains) == true
    let visible = hasEnded ? Array(answer.ids.dropLast()) : answer.ids
    answer.group.answers[answer.answer] = CandidateAnswer(
      ids: answer.ids, logps: answer.logps, finish: hasEnded ? .stop : .length,
      text: model.storedTokenizer?.decode(visible, skipSpecial: true) ?? "")
    return answer.group.answers.allSatisfy { $0 != nil }
  }
}
