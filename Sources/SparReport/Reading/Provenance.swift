import Foundation
import SparPipeline

/// How the results came about: commands, settings, versions, digests, stages.
struct Provenance {
  let comparison: Comparison

  private var records: [(id: String, record: RunRecord)] {
    comparison.points.compactMap { point in point.result.record.map { (point.id, $0) } }
  }

  /// The sweep's own command, else one for each run that repeats it.
  var commands: [(name: String, line: String)] {
    if let words = comparison.sweep?.command, !words.isEmpty {
      return [("sweep", words.map(Self.quoted).joined(separator: " "))]
    }
    return records.map { ($0.id, Self.command($0.record)) }
  }

  /// Settings that came from a recipe are left to it; the rest is said.
  static func command(_ record: RunRecord) -> String {
    var recipe: String?
    var words: [String] = []
    for (name, setting) in record.settings.sorted(by: { $0.key < $1.key }) {
      if setting.origin.hasPrefix("recipe ") {
        let place = setting.origin.dropFirst("recipe ".count)
        recipe = recipe ?? place.lastIndex(of: ":").map { String(place[..<$0]) }
      } else if setting.origin != "default" {
        words += ["--set", "\(name)=\(setting.value)"]
      }
    }
    return (["spar", "run"] + [recipe ?? "RECIPE"] + words).map(quoted).joined(separator: " ")
  }

  /// As a shell reads it back.
  static func quoted(_ word: String) -> String {
    let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%"
    guard word.isEmpty || word.contains(where: { !plain.contains($0) }) else { return word }
    return "'" + word.replacing("'", with: "'\\''") + "'"
  }

  struct Setting: Equatable {
    var name: String
    /// One a point, in their order; nil where the point does not have it.
    var values: [String?]
    var origins: [String]
    var isShared: Bool { Set(values).count == 1 }
  }

  var settings: [Setting] {
    let names = Set(records.flatMap { $0.record.settings.keys }).sorted()
    return names.map { name in
      let found = records.map { $0.record.settings[name] }
      var origins: [String] = []
      for origin in found.compactMap({ $0?.origin }) where !origins.contains(origin) {
        origins.append(origin)
      }
      return Setting(name: name, values: found.map { $0?.value }, origins: origins)
    }
  }

  /// The ids that `Setting.values` belong to.
  var settingPoints: [String] { records.map(\.id) }

  /// Facts and the points that they hold for, in the order of first use.
  private func gathered(_ facts: [(fact: [String], id: String)]) -> [[String]] {
    var found: [(fact: [String], ids: [String])] = []
    for (fact, id) in facts {
      if let known = found.firstIndex(where: { $0.fact == fact }) {
        if !found[known].ids.contains(id) { found[known].ids.append(id) }
      } else {
        found.append((fact, [id]))
      }
    }
    let all = records.count
    return found.map { $0.fact + [$0.ids.count == all ? "all" : $0.ids.joined(separator: ", ")] }
  }

  /// kind, id, version, digest, points.
  var plugins: [[String]] {
    gathered(
      records.flatMap { id, record in
        record.plugins.map { ([$0.kind, $0.id, $0.version, $0.sha256 ?? "built in"], id) }
      })
  }

  /// spar, processor, cores, SIMD, memory, system, threads, points.
  var machines: [[String]] {
    gathered(
      records.map { id, record in
        let machine = record.machine
        return (
          [
            record.spar, machine.processor, "\(machine.cores)",
            machine.simd.joined(separator: " "),
            Figure.decimals(Double(machine.memoryBytes) / 1e9, 1) + " GB", machine.system,
            "\(machine.threads)",
          ], id
        )
      })
  }

  /// name, file, digest, points.
  var models: [[String]] {
    gathered(
      comparison.points.compactMap { point in
        guard let digest = point.result.modelDigest else { return nil }
        return (
          [point.result.setting("model") ?? "", point.result.model ?? "", digest], point.id
        )
      })
  }

  /// point, folder, stage, state, file, seconds, digest.
  var stageFiles: [[String]] {
    comparison.points.flatMap { point in
      let folders =
        [("ranker", point.result.rankerStages), ("base", point.result.baseStages)]
        + point.result.iterations.map { ("iteration-\($0.number)", $0.stages) }
      return folders.flatMap { folder, stages in
        stages.sorted { (Self.order($0.key), $0.key) < (Self.order($1.key), $1.key) }.map {
          name, record in
          [
            point.id, folder, name, record.finished ? "finished" : "begun", record.output ?? "–",
            record.figures["seconds"].map(RunReport.duration) ?? "–", record.outputDigest ?? "–",
          ]
        }
      }
    }
  }

  private static func order(_ stage: String) -> Int {
    [
      "bootstrap", "train-ranker", "evaluate-ranker", "generate", "rank", "train", "heldout",
      "evaluate",
    ].firstIndex(of: stage) ?? 9
  }

  /// stage, computed, reused, time of computing, time that reuse saved: of a sweep's stages.
  var sharing: [[String]] {
    var found: [(stage: String, computed: Int, reused: Int, spent: Double, saved: Double)] = []
    for stage in comparison.sweep?.stages ?? [] {
      let reused = stage.usedBy.count { $0 != stage.computedBy }
      let seconds = stage.seconds
      if let known = found.firstIndex(where: { $0.stage == stage.stage }) {
        found[known].computed += 1
        found[known].reused += reused
        found[known].spent += seconds
        found[known].saved += seconds * Double(reused)
      } else {
        found.append((stage.stage, 1, reused, seconds, seconds * Double(reused)))
      }
    }
    guard !found.isEmpty else { return [] }
    let total = found.reduce((computed: 0, reused: 0, spent: 0.0, saved: 0.0)) { sum, row in
      (
        sum.computed + row.computed, sum.reused + row.reused, sum.spent + row.spent,
        sum.saved + row.saved
      )
    }
    let rows = found + [("all", total.computed, total.reused, total.spent, total.saved)]
    return rows.map {
      [
        $0.stage, "\($0.computed)", "\($0.reused)", RunReport.duration($0.spent),
        RunReport.duration($0.saved),
      ]
    }
  }

  /// stage, file, computed by, used by, seconds: every stage of a sweep.
  var sharedStages: [[String]] {
    (comparison.sweep?.stages ?? []).map { stage in
      [
        stage.stage, stage.path, stage.computedBy,
        stage.usedBy.filter { $0 != stage.computedBy }.joined(separator: ", "),
        RunReport.duration(stage.seconds), stage.key,
      ]
    }
  }
}
