/// preferences.h5: what a ranker makes of a file of candidates. The layout is in docs/formats.md.
public enum PreferencesFile {
  public static let schema = H5Schema(name: "spar.preferences", version: 1)

  /// Writes the table atomically, with the number of prompts of each status as attributes
  /// `count_kept`, `count_tie`, …
  ///
  /// - Parameter attributes: further root attributes: ranker, its options, the rule that gave
  ///   probabilities, path and digest of the candidates.
  public static func write(
    to path: String, _ table: PreferenceTable, attributes: [String: AttributeValue] = [:]
  ) throws {
    let doing = "writing the preferences"
    try validate(table, HDF5Context(path: path, doing: doing))
    try H5File.write(to: path, doing: doing) { file in
      try file.stamp(schema)
      try file.setAttribute("K", .int(Int64(table.K)))
      for status in PreferenceStatus.allCases {
        let count = table.status.count { $0 == status }
        try file.setAttribute("count_\(status)", .int(Int64(count)))
      }
      try file.setAttributes(
        attributes.filter { !H5Schema.attributeNames.contains($0.key) && $0.key != "K" })
      let (n, K) = (table.count, table.K)
      try file.write("prompt/index", table.promptIndex.map { Int64($0) })
      try file.writeStrings("prompt/id", table.promptID)
      try file.write("raw", table.raw, shape: [n, K, K])
      try file.write("win_prob", table.winProbability, shape: [n, K, K])
      try file.write("log_odds", table.logOdds, shape: [n, K, K])
      try file.write("row_mean", table.rowMean, shape: [n, K])
      try file.write("mean_score", table.meanScore, shape: [n, K])
      try file.write("score", table.score, shape: [n, K])
      try file.write("chosen", table.chosen.map { Int32($0) })
      try file.write("rejected", table.rejected.map { Int32($0) })
      try file.write("status", table.status.map(\.rawValue))
      try writeRarities(table, file)
    }
  }

  public static func read(
    _ path: String
  ) throws(StoreError) -> (table: PreferenceTable, attributes: [String: AttributeValue]) {
    let file = try H5File.open(path, doing: "reading the preferences")
    try file.require(schema)
    // swift-format-ignore: AlwaysUseLowerCamelCase
    let K = try file.answersPerPrompt()
    let index = try file.read("prompt/index", as: Int64.self, shape: [-1])
    let n = index.count
    var status: [PreferenceStatus] = []
    for code in try file.read("status", as: Int8.self, shape: [n]) {
      guard let known = PreferenceStatus(rawValue: code) else {
        throw file.context.error(.invalid("status holds \(code)"))
      }
      status.append(known)
    }
    var table = PreferenceTable(
      K: K, promptIndex: index.map { Int($0) },
      promptID: try file.readStrings("prompt/id", shape: [n]),
      raw: try file.read("raw", shape: [n, K, K]),
      winProbability: try file.read("win_prob", shape: [n, K, K]),
      logOdds: try file.read("log_odds", shape: [n, K, K]),
      rowMean: try file.read("row_mean", shape: [n, K]),
      meanScore: try file.read("mean_score", shape: [n, K]),
      score: try file.read("score", shape: [n, K]),
      chosen: try file.read("chosen", as: Int32.self, shape: [n]).map { Int($0) },
      rejected: try file.read("rejected", as: Int32.self, shape: [n]).map { Int($0) },
      status: status)
    try readRarities(&table, file)
    try validate(table, file.context)
    return (table, try file.attributes())
  }

  /// Lengths fit n and K; a kept prompt has two different answers.
  private static func validate(
    _ table: PreferenceTable, _ context: HDF5Context
  ) throws(StoreError) {
    let (n, K) = (table.count, table.K)
    let failed = table.failed.isEmpty ? n * K * K : table.failed.count
    let truncated = table.truncated.isEmpty ? n * K : table.truncated.count
    let sizes: [(name: String, found: Int, expected: Int)] = [
      ("prompt/id", table.promptID.count, n), ("raw", table.raw.count, n * K * K),
      ("win_prob", table.winProbability.count, n * K * K),
      ("log_odds", table.logOdds.count, n * K * K), ("row_mean", table.rowMean.count, n * K),
      ("mean_score", table.meanScore.count, n * K), ("score", table.score.count, n * K),
      ("chosen", table.chosen.count, n), ("rejected", table.rejected.count, n),
      ("status", table.status.count, n),
      ("failed", failed, n * K * K), ("truncated", truncated, n * K),
      ("component/raw", table.componentRaw.count, n * table.components.count * K * K),
    ]
    for (name, found, expected) in sizes where found != expected {
      throw context.error(
        .invalid("\(name) has \(found) values; \(n) prompts with K = \(K) need \(expected)"))
    }
    for row in 0..<n {
      let (w, l) = (table.chosen[row], table.rejected[row])
      let admitted = table.status[row] == .kept ? 0..<K : -1..<K
      guard admitted.contains(w), admitted.contains(l), table.status[row] != .kept || w != l else {
        throw context.error(
          .invalid(
            "prompt \(table.promptID[row]) (\(table.status[row])) has chosen \(w) and rejected \(l)"
              + " of \(K) answers"))
      }
    }
  }
}
