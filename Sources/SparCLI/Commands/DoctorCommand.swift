import ArgumentParser
import Foundation
import SparHost
import SparModel
import SparPipeline

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check this machine and installation; exit code 1 if ill.")

  @OptionGroup var common: CommonOptions

  private struct Diagnosis: Encodable {
    var machine: Machine
    var libraries: [String]
    var backend: String?
    /// Nodes, threads, rates and pages, from a backend that knows them.
    var placement: [PlacementRow]
    var cache: String
    var models: [String: Bool]
    var plugins: PluginTable
    /// What must be mended, and what is only worth knowing.
    var problems: [String]
    var notes: [String]
  }

  func run() throws {
    let table = try PluginTable(
      PluginSearch(paths: common.plugins.pluginPath, usePlugins: !common.plugins.noPlugins))
    var problems = table.skipped.filter { !$0.shadowed }.map { "plugin \($0.path): \($0.reason)" }
    var notes: [String] = []
    var backend: String?
    var placement: [PlacementRow] = []
    // A library that crashed in its child is not loaded here.
    if problems.isEmpty {
      let runtime = try common.runtime()
      backend = runtime.backend.name
      placement = try runtime.backend.placement(measured: true)
      if runtime.backend.name == "reference" {
        problems.append(
          "the only usable backend is the slow reference; build the plugins, or see --plugin-path")
      }
    }
    for kind in [PluginKind.objective, .ranker]
    where !table.components.contains(where: { $0.kind == kind }) {
      problems.append("no \(kind) plugin was found")
    }
    let threads = common.threads ?? 0
    let machine = Machine.current(
      threads: threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount)
    if machine.memoryBytes < 4_000_000_000 {
      notes.append("less than 4 GB of memory: training SmolLM2-135M may not fit")
    }
    var models: [String: Bool] = [:]
    for model in KnownModel.all {
      models[model.name] = FileManager.default.fileExists(atPath: model.path)
      if models[model.name] == false {
        notes.append("\(model.name) is not in the cache; spar model fetch \(model.name)")
      }
    }
    if let cacheProblem { problems.append(cacheProblem) }
    let diagnosis = Diagnosis(
      machine: machine, libraries: Self.libraries(), backend: backend, placement: placement,
      cache: KnownModel.cacheFolder, models: models, plugins: table, problems: problems,
      notes: notes)
    if common.json { try Terminal.json(diagnosis) } else { try print(diagnosis) }
    if !problems.isEmpty { throw ExitCode(SparFailure.failed) }
  }

  /// The cache, or the first folder above it that exists, must be writable.
  private var cacheProblem: String? {
    var folder = KnownModel.cacheFolder
    while folder != "/", !FileManager.default.fileExists(atPath: folder) {
      folder = (folder as NSString).deletingLastPathComponent
      if folder.isEmpty { folder = "/" }
    }
    return FileManager.default.isWritableFile(atPath: folder)
      ? nil : "the model cache \(KnownModel.cacheFolder) cannot be written (\(folder))"
  }

  /// Shared libraries of this process that numbers or files depend on.
  private static func libraries() -> [String] {
    let wanted = ["libhdf5", "libopenblas", "libpcre2", "libcblas", "libnuma"]
    var found: Set<String> = []
    for line in KernelFile.text("/proc/self/maps").split(separator: "\n") {
      guard let slash = line.firstIndex(of: "/") else { continue }
      let path = String(line[slash...])
      let name = path.split(separator: "/").last ?? ""
      if wanted.contains(where: { name.hasPrefix($0) }) { found.insert(path) }
    }
    return found.sorted()
  }

  private func print(_ found: Diagnosis) throws {
    let machine = found.machine
    var rows = [
      ["spar", SparVersion.current], ["system", machine.system],
      ["processor", "\(machine.processor), \(machine.cores) cores"],
      ["simd", machine.simd.joined(separator: " ")],
      ["memory", Figures.scaled(Double(machine.memoryBytes), "B")],
      ["backend", found.backend ?? "none was tried"],
    ]
    rows += found.placement.map { [$0.key, $0.text] }
    rows += found.libraries.map { ["library", $0] }
    rows += found.models.sorted { $0.key < $1.key }.map { name, isThere in
      ["model", "\(name) \(isThere ? "in" : "not in") \(found.cache)"]
    }
    for kind in PluginKind.allCases {
      let ids = found.plugins.components.filter { $0.kind == kind }.map(\.id)
      rows.append(["\(kind)s", ids.isEmpty ? "none" : ids.joined(separator: ", ")])
    }
    for line in Terminal.columns(rows) { try Terminal.line(line) }
    for note in found.notes { try Terminal.line("note: \(note)") }
    for problem in found.problems { try Terminal.line("problem: \(problem)") }
    if found.problems.isEmpty { try Terminal.line("all is well") }
  }
}
