import Foundation
import SparHost

/// All libraries of a search, each looked at in a child process.
struct PluginTable: Encodable {
  struct Skipped: Encodable {
    var path: String
    var reason: String
    var shadowed = false
  }

  var components: [PluginInfo] = []
  var skipped: [Skipped] = []

  init(_ search: PluginSearch, secondsAllowed: Double = 10) throws {
    let (files, problems) = search.files
    skipped = problems.map { Skipped(path: $0.path, reason: "\($0.reason)") }
    var paths: [String] = []
    var origins: [PluginSearch.Origin] = []
    for file in files {
      // The same file by two ways is one plugin.
      let path = URL(fileURLWithPath: file.path).resolvingSymlinksInPath().path
      guard !paths.contains(path) else { continue }
      paths.append(path)
      origins.append(file.origin)
    }
    let outcomes = try PluginProbe.run(paths, secondsAllowed: secondsAllowed)
    for ((path, origin), outcome) in zip(zip(paths, origins), outcomes) {
      switch outcome {
      case .failed(let reason): skipped.append(Skipped(path: path, reason: reason))
      case .found(let found):
        skipped += found.skipped.map { Skipped(path: path, reason: $0.reason) }
        for var component in found.components {
          // The child was told one file; the parent knows how it was found.
          component.origin = origin
          add(component)
        }
      }
    }
    let builtIn = PluginHost(search: PluginSearch(usePlugins: false), threads: 1)
    for kind in PluginKind.allCases {
      for component in builtIn.components(kind) { add(PluginInfo(component)) }
    }
    let order = PluginKind.allCases
    components.sort {
      let (a, b) = (order.firstIndex(of: $0.kind) ?? 0, order.firstIndex(of: $1.kind) ?? 0)
      return (a, $0.id) < (b, $1.id)
    }
  }

  /// The first library that offers an id wins.
  private mutating func add(_ row: PluginInfo) {
    if let first = components.first(where: { $0.kind == row.kind && $0.id == row.id }) {
      skipped.append(
        Skipped(
          path: row.library,
          reason: "\(row.kind) \(row.id) is shadowed by \(first.library), found earlier",
          shadowed: true))
    } else {
      components.append(row)
    }
  }

  /// A line each, then what objectives and rankers compute and the options they take.
  var lines: [String] {
    var lines = Terminal.columns(
      [["kind", "id", "version", "library", ""]]
        + components.map { ["\($0.kind)", $0.id, $0.version, $0.library, $0.doc] })
    for component in components where component.kind != .backend {
      lines += ["", "\(component.kind) \(component.id): \(component.name)"]
      lines += component.details("  ", prefix: "\(component.kind)")
    }
    if !skipped.isEmpty {
      lines += ["", "not used:"] + skipped.map { "  \($0.path): \($0.reason)" }
    }
    return lines
  }
}
