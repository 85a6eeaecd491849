/// How comparisons are made of a model's own answers.
public struct BootstrapOptions: Equatable, Sendable, Codable {
  /// Prompts, the first of the file; 0 = all.
  public var count = 0
  /// Most tokens of an answer.
  public var maxNewTokens = 128
  /// Of good answers; 0 = greedy.
  public var temperature = 0.0
  /// Of derailed answers.
  public var derailTemperature = 1.2
  /// Share of the prompts, from the end, whose comparisons are held out.
  public var heldoutShare = 0.2
  /// Each gives one comparison a prompt.
  public var kinds = Corruption.allCases
  public var seed: UInt64 = 42

  /// A good answer with a larger share of repeated runs of four tokens is none.
  public static let mostRepetition = 0.3

  public init() {}

  /// Throws for the first value that makes no sense.
  public func validate() throws(RankerTrainingError) {
    func need(_ holds: Bool, _ key: String, _ found: String, _ wanted: String)
      throws(RankerTrainingError)
    {
      if !holds { throw .option(key: key, found: found, wanted: wanted) }
    }
    try need(count >= 0, "bootstrap_count", "\(count)", "at least 0")
    try need(maxNewTokens > 0, "bootstrap_max_new_tokens", "\(maxNewTokens)", "at least 1")
    try need(
      temperature >= 0 && temperature.isFinite, "bootstrap_temperature", "\(temperature)",
      "at least 0")
    try need(
      !kinds.contains(.derailed) || (derailTemperature > temperature && derailTemperature.isFinite),
      "derail_temperature", "\(derailTemperature)",
      "above bootstrap_temperature, which is \(temperature)")
    try need(
      (0..<1).contains(heldoutShare), "heldout_share", "\(heldoutShare)",
      "at least 0 and below 1")
    try need(
      !kinds.isEmpty && Set(kinds).count == kinds.count, "bootstrap_kinds",
      kinds.map(\.rawValue).joined(separator: ","), "one or more, each once")
  }
}
