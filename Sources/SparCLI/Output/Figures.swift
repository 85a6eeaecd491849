import Foundation

/// Numbers as tables and sentences show them.
enum Figures {
  static func whole(_ value: Double) -> String { String(format: "%.0f", value) }
  static func one(_ value: Double) -> String { String(format: "%.1f", value) }
  static func short(_ value: Double) -> String { String(format: "%.4g", value) }
  static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  /// "128.0 (120.3 – 140.1)"
  static func spread(_ median: Double, _ least: Double, _ most: Double) -> String {
    "\(one(median)) (\(one(least)) – \(one(most)))"
  }

  /// "135.2 M", "512 kB"-like; `unit` follows the prefix.
  static func scaled(_ value: Double, _ unit: String = "") -> String {
    for (limit, prefix) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where value >= limit {
      return String(format: "%.1f ", value / limit) + prefix + unit
    }
    return String(format: "%.0f ", value) + unit
  }
}
