import Foundation
import SparPipeline
import SparStore

/// A point's settings as a recipe of its own: `spar run points/p01/recipe.yaml` runs it alone.
enum PointRecipe {
  /// Only what somebody has set, a preset's settings among it, and what an axis or a flag left to
  /// say; files by their absolute paths.
  static func text(_ point: SweepPlan.Point) throws -> String {
    let inputs = Set(SettingTable.all.filter(\.isInputPath).map(\.name))
    let void = Set(point.resolved.outweighed.map(\.key))
    var lines = ["# \(point.id): \(point.cell.text)"]
    for row in point.resolved.rows
    where row.origin != .preset && !void.contains(row.name)
      && !["output_dir", "threads", "preset"].contains(row.name)
    {
      var value = row.value
      if inputs.contains(row.name), FileManager.default.fileExists(atPath: value) {
        value = URL(fileURLWithPath: value).path
      }
      lines.append("\(row.name): \(try quoted(value))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func write(_ point: SweepPlan.Point, to path: String) throws {
    let text = try text(point)
    try AtomicFile.writeBytes(to: path, doing: "writing a point's recipe") { try $0.write(text) }
  }

  /// A string of JSON, which is one of YAML.
  private static func quoted(_ text: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try encoder.encode(text), as: UTF8.self)
  }
}
