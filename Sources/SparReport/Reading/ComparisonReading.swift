import Foundation
import SparPipeline
import SparText

extension Comparison {
  /// Reads one sweep, or runs that are compared with one another.
  ///
  /// - Parameters:
  ///   - baseline: an arm's name; nil = what the sweep says, else the first arm.
  ///   - title: nil = the sweep's name, or the runs'.
  ///   - progress: called with the points read and all points.
  /// - Throws: `ReportError`.
  public static func read(
    _ paths: [String], baseline: String? = nil, title: String? = nil,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Comparison {
    let folders = paths.map { RunDirectory($0).root }
    for (place, folder) in folders.enumerated() where folders[..<place].contains(folder) {
      throw ReportError.twice(path: folder)
    }
    for folder in folders {
      switch try kind(of: folder) {
      case .sweep where folders.count > 1: throw ReportError.mixed(sweep: folder)
      case .sweep:
        return try sweep(folder, baseline: baseline, title: title, progress: progress)
      case .run: continue
      }
    }
    return try runs(folders, baseline: baseline, title: title, progress: progress)
  }

  private enum Kind { case sweep, run }

  private static func kind(of folder: String) throws(ReportError) -> Kind {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard files.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw .missing(path: folder)
    }
    if files.fileExists(atPath: folder + "/sweep.json") { return .sweep }
    if files.fileExists(atPath: folder + "/run.json") { return .run }
    let names: [String]
    do {
      names = try files.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw .neither(path: folder, sweepInside: nil)
    }
    throw .neither(
      path: folder,
      sweepInside: names.first { name in
        ["sweep.json", "run.json"].contains { files.fileExists(atPath: "\(folder)/\(name)/\($0)") }
      })
  }

  private static func sweep(
    _ folder: String, baseline: String?, title: String?, progress: (Int, Int) -> Void
  ) throws -> Comparison {
    guard let manifest = try SweepRecord.read(folder), !manifest.points.isEmpty else {
      throw ReportError.noPoints(path: folder + "/sweep.json")
    }
    let replicates = manifest.axes.filter(\.replicate).map(\.name)
    let points = manifest.points.enumerated().map { place, point in
      progress(place, manifest.points.count)
      let path = point.folder.hasPrefix("/") ? point.folder : folder + "/" + point.folder
      return Point(
        id: point.id, arm: point.arm, values: point.values,
        replicate: replicates.compactMap { point.values[$0] }.joined(separator: " · "),
        status: point.status, error: point.error, seconds: point.seconds,
        result: RunReading.read(path))
    }
    return try Comparison(
      title: title ?? manifest.name, axes: manifest.axes, points: points,
      baseline: baseline ?? manifest.baseline, sweep: manifest)
  }

  private static func runs(
    _ folders: [String], baseline: String?, title: String?, progress: (Int, Int) -> Void
  ) throws -> Comparison {
    let results = folders.enumerated().map { place, folder in
      progress(place, folders.count)
      return RunReading.read(folder)
    }
    let naming = ArmNaming(results)
    let points = results.enumerated().map { place, result in
      Point(
        id: naming.ids[place], arm: naming.arms[place], values: naming.values[place],
        replicate: naming.replicates[place], status: result.isComplete ? .done : .running,
        error: nil, seconds: result.stageSeconds, result: result)
    }
    return try Comparison(
      title: title ?? naming.title, axes: naming.axes, points: points, baseline: baseline)
  }

  static func nearest(_ name: String, among known: [String]) -> String? {
    NearestName.of(name, among: known)
  }
}

extension RunResult {
  /// Seconds of all finished stages together; nil where none is.
  var stageSeconds: Double? {
    let ledgers = [baseStages] + iterations.map(\.stages)
    let seconds = ledgers.flatMap { $0.values.compactMap { $0.figures["seconds"] } }
    // Sums of doubles depend on their order, and a dictionary has none.
    return seconds.isEmpty ? nil : seconds.sorted().reduce(0, +)
  }
}
