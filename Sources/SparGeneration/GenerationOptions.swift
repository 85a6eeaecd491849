import SparData

/// How answers are drawn.
public struct GenerationOptions: Equatable, Sendable, Codable {
  /// K, answers per prompt.
  public var pairs = 5
  /// Most tokens of one answer, end token included.
  public var maxNewTokens = 256
  /// 0 = greedy.
  public var temperature = 0.7
  /// Smallest set of tokens with at least this probability; 1 = off.
  public var topP = 0.9
  /// The most probable tokens only; 0 = off.
  public var topK = 0
  public var seed: UInt64 = 42
  /// Part of every random stream's name, so that iterations draw different answers.
  public var iteration = 1
  /// Sequences decoded together.
  public var batchSize = 40
  /// Goes on to maxNewTokens whatever is drawn: for benchmarks.
  public var ignoreEnd = false
  /// How conversations become ids.
  public var rendering = PromptRendering.exact
  /// Prompts of one shard, 0 = all; and which shard.
  public var shardLength = 0
  public var shard = 0

  public init() {}

  /// Rows of the prompt file that this shard answers: [k L, (k+1) L), to the end for the last.
  public func shardRows(of count: Int) -> Range<Int> {
    guard shardLength > 0 else { return 0..<count }
    let first = min(shard * shardLength, count)
    return first..<min(first + shardLength, count)
  }
}

/// Settings or prompts that generation cannot work with.
public enum GenerationError: Error, Equatable, CustomStringConvertible {
  case option(name: String, value: String, allowed: String)
  case promptLine(path: String, line: Int, problem: String)
  case noPrompts(path: String, shard: Int)
  case promptTooLong(id: String, tokens: Int, newTokens: Int, limit: Int)
  case promptIDs(id: String, problem: String)
  case cancelled(done: Int, of: Int, journal: String)

  public var description: String {
    switch self {
    case .option(let name, let value, let allowed):
      return "\(name) is \(value); it must be \(allowed)"
    case .promptLine(let path, let line, let problem):
      return "\(path):\(line): \(problem); a row has a \"prompt\", "
        + "\"messages\" or \"prompt_ids\""
    case .noPrompts(let path, let shard):
      return shard == 0
        ? "\(path): there is no row; name data that have prompts"
        : "\(path): shard \(shard) holds no prompts; lower --data_frac or --frac_len"
    case .promptTooLong(let id, let tokens, let newTokens, let limit):
      return "prompt \(id) has \(tokens) tokens and may get \(newTokens) more, the model holds "
        + "\(limit); shorten it or lower --maxlen"
    case .promptIDs(let id, let problem): return "prompt \(id): \(problem)"
    case .cancelled(let done, let count, let journal):
      return "stopped after \(done) of \(count) prompts; run the same command again to go on "
        + "(finished answers are in \(journal))"
    }
  }
}

extension GenerationOptions {
  /// Throws on the first setting outside its range.
  public func validate() throws(GenerationError) {
    func check(_ holds: Bool, _ name: String, _ value: String, _ allowed: String)
      throws(GenerationError)
    {
      if !holds { throw .option(name: name, value: value, allowed: allowed) }
    }
    try check(pairs >= 1, "pairs", "\(pairs)", "at least 1")
    try check(maxNewTokens >= 1, "maxlen", "\(maxNewTokens)", "at least 1")
    try check(temperature >= 0 && temperature.isFinite, "temperature", "\(temperature)", ">= 0")
    try check(topP > 0 && topP <= 1, "top_p", "\(topP)", "in (0, 1]")
    try check(topK >= 0, "top_k", "\(topK)", ">= 0")
    try check(batchSize >= 1, "batch", "\(batchSize)", "at least 1")
    try check(shardLength >= 0, "frac_len", "\(shardLength)", ">= 0")
    try check(shard >= 0, "data_frac", "\(shard)", ">= 0")
  }
}
