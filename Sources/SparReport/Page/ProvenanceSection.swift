import SparPipeline

// Commands, settings, versions, digests and stages: all that it takes to do it again.
extension HTMLReport {
  var provenance: String {
    let facts = Provenance(comparison: comparison)
    return commands(facts) + points + sharing(facts) + settings(facts) + versions(facts)
      + files(facts)
  }

  private func commands(_ facts: Provenance) -> String {
    let lines = facts.commands
    guard !lines.isEmpty else { return "" }
    let text = lines.map { HTML.escape($0.line) }.joined(separator: "\n")
    let heading =
      comparison.sweep?.command.isEmpty == false ? "Command" : "Commands that repeat it"
    return "<h3>\(heading)</h3>\n<pre>\(text)</pre>\n"
  }

  private var points: String {
    let axes = comparison.axes.map(\.name)
    let rows = comparison.points.map { point in
      [point.id] + axes.map { point.values[$0] ?? "–" } + [
        point.status == .running && comparison.sweep == nil
          ? "unfinished" : point.status.rawValue,
        point.seconds.map(RunReport.duration) ?? "–", point.error ?? "",
      ]
    }
    return "<h3>Points</h3>\n"
      + HTML.table(
        (["point"] + axes + ["status", comparison.sweep == nil ? "time" : "own time", "error"]).map(
          HTML.escape),
        rows.map { $0.map(HTML.escape) }, class: "words")
  }

  private func sharing(_ facts: Provenance) -> String {
    let rows = facts.sharing
    guard !rows.isEmpty else { return "" }
    return "<h3>Stages computed and reused</h3>\n"
      + HTML.table(
        ["stage", "computed", "reused", "time", "time saved"], rows.map { $0.map(HTML.escape) })
      + HTML.details(
        "Every stage",
        HTML.table(
          ["stage", "folder", "computed by", "reused by", "time", "key"],
          facts.sharedStages.map { row in
            row.dropLast().map(HTML.escape) + [HTML.code(row[row.count - 1])]
          }, class: "words"))
  }

  private func settings(_ facts: Provenance) -> String {
    let all = facts.settings
    guard !all.isEmpty else { return "" }
    let differing = all.filter { !$0.isShared }
    var body = ""
    if !differing.isEmpty {
      body += "<h3>Settings that differ</h3>\n"
      body += HTML.table(
        (["setting"] + facts.settingPoints).map(HTML.escape),
        differing.map { setting in
          [HTML.code(setting.name)] + setting.values.map { HTML.escape($0 ?? "–") }
        }, class: "words")
    }
    let shared = all.filter(\.isShared)
    return body
      + HTML.details(
        comparison.points.count > 1
          ? "The \(shared.count) settings that all runs share" : "All \(shared.count) settings",
        HTML.table(
          ["setting", "value", "decided by"],
          shared.map { setting in
            let value = setting.values.first.flatMap { $0 } ?? ""
            return [
              HTML.code(setting.name), HTML.escape(value.isEmpty ? "(none)" : value),
              HTML.escape(setting.origins.joined(separator: "; ")),
            ]
          }, class: "words"))
  }

  private func versions(_ facts: Provenance) -> String {
    func coded(_ row: [String], _ place: Int) -> [String] {
      row.enumerated().map { $0.offset == place ? HTML.code($0.element) : HTML.escape($0.element) }
    }
    return "<h3>Versions, machine, digests</h3>\n"
      + HTML.table(
        ["model", "file", "digest", "points"], facts.models.map { coded($0, 2) }, class: "words")
      + HTML.table(
        ["plugin", "name", "version", "SHA-256", "points"], facts.plugins.map { coded($0, 3) },
        class: "words")
      + HTML.table(
        ["spar", "processor", "cores", "SIMD", "memory", "system", "threads", "points"],
        facts.machines.map { $0.map(HTML.escape) }, class: "words")
  }

  private func files(_ facts: Provenance) -> String {
    let rows = facts.stageFiles
    guard !rows.isEmpty else { return "" }
    return HTML.details(
      "Stage files and their digests",
      HTML.table(
        ["point", "folder", "stage", "state", "file", "time", "SHA-256"],
        rows.map { row in row.dropLast().map(HTML.escape) + [HTML.code(row[row.count - 1])] },
        class: "words"))
  }
}
