import SparText

/// Every setting of Spar, one row each.
public enum SettingTable {
  public static let all: [Setting] =
    runSettings + trainRankerSettings + generateSettings + rankerSettings + rankSettings
    + objectiveSettings + trainSettings + evaluateSettings + planSettings

  /// What a key of a recipe or a flag means.
  public enum Target: Sendable {
    case setting(Setting)
    /// An option that only the chosen plugin can judge, spelled with `_`.
    case objective(option: String)
    case ranker(option: String)
    /// Of another ranker that judges held-out answers: "likelihood.model".
    case check(option: String)

    /// The canonical dotted name.
    public var name: String {
      switch self {
      case .setting(let setting): setting.name
      case .objective(let option): "objective.\(option)"
      case .ranker(let option): "ranker.\(option)"
      case .check(let option): "evaluate.check.\(option)"
      }
    }

    public var stage: Setting.Stage {
      switch self {
      case .setting(let setting): setting.stage
      case .objective: .objective
      case .ranker: .ranker
      case .check: .evaluate
      }
    }
  }

  /// Options of objectives that have a short name of their own.
  static let objectiveOptions: [String: String] = [
    "beta": "beta", "label_smoothing": "label_smoothing", "target_clamp": "target_clamp",
    "clamp_thres": "target_clamp", "length_normalization": "length_normalisation",
    "length_normalisation": "length_normalisation",
  ]

  private static let bySpelling: [String: Setting] = {
    var found: [String: Setting] = [:]
    for setting in all {
      for spelling in [setting.name] + setting.aliases {
        precondition(found[spelling] == nil, "two settings are spelled \(spelling)")
        found[spelling] = setting
      }
    }
    return found
  }()

  /// A key in any spelling: `-` and `_` are alike, aliases may carry their stage
  /// (`generate.maxlen`).
  public static func find(_ key: String) -> Target? {
    let key = key.replacing("-", with: "_")
    if let setting = bySpelling[key] { return .setting(setting) }
    if let option = objectiveOptions[key] { return .objective(option: option) }
    let parts = key.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].isEmpty else { return nil }
    let tail = String(parts[1])
    if let setting = bySpelling[tail], setting.stage.rawValue == parts[0] {
      return .setting(setting)
    }
    switch parts[0] {
    case "objective": return .objective(option: objectiveOptions[tail] ?? tail)
    case "ranker": return .ranker(option: tail)
    case "evaluate" where tail.hasPrefix("check.") && tail.count > 6:
      return .check(option: String(tail.dropFirst(6)))
    default: return nil
    }
  }

  /// The spelling that a wrong key most likely meant.
  public static func nearest(to key: String) -> String? {
    guard ForeignNames.advice(for: key) == nil else { return nil }
    let key = key.replacing("-", with: "_")
    let spellings = all.flatMap { [$0.name] + $0.aliases } + objectiveOptions.keys.sorted()
    if let found = NearestName.of(key, among: spellings) { return found }
    // `generate.temprature` may be far from every short name, `temprature` alone is not.
    guard let tail = key.split(separator: ".").last else { return nil }
    let lasts = all.compactMap { setting in
      setting.name.split(separator: ".").last.map { (String($0), setting.name) }
    }
    if let last = NearestName.of(String(tail), among: lasts.map(\.0)) {
      return lasts.first { $0.0 == last }?.1
    }
    // `objctive.beta`: only the plugin knows its options, but the section is misspelt.
    guard tail.count < key.count,
      let stage = NearestName.of(
        String(key.dropLast(tail.count + 1)), among: Setting.Stage.allCases.map(\.rawValue)),
      find("\(stage).\(tail)") != nil
    else { return nil }
    return "\(stage).\(tail)"
  }
}
