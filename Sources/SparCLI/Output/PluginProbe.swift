import Foundation
import SparHost

/// What one library offers, found out in a child process: a library that crashes, hangs or prints
/// is then a line of the table and not the end of the program.
struct PluginProbe {
  /// What the child prints.
  struct Found: Codable {
    struct Component: Codable {
      var kind: String
      var id: String
      var version: String
      var doc: String
    }
    struct Problem: Codable {
      var reason: String
    }
    var components: [Component]
    var skipped: [Problem]

    /// The child's side: loads the library.
    init(loading path: String) {
      let host = PluginHost(search: .only(path), threads: 1)
      components = PluginKind.allCases.flatMap { kind in
        host.components(kind).filter { $0.library.path != nil }.map {
          Component(kind: kind.rawValue, id: $0.id, version: $0.library.version, doc: $0.doc)
        }
      }
      skipped = host.problems.map { Problem(reason: "\($0.reason)") }
    }
  }

  enum Outcome {
    case found(Found)
    case failed(String)
  }

  static let secondsAllowed = 10.0

  /// The parent's side.
  static func run(_ path: String) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["plugin", "probe", path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let deadline = Date(timeIntervalSinceNow: secondsAllowed)
    let guardian = Thread {
      while process.isRunning, Date() < deadline { usleep(20_000) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    guardian.start()
    let content = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    if process.terminationReason == .uncaughtSignal {
      let signal = process.terminationStatus
      return .failed(
        signal == SIGKILL && Date() >= deadline
          ? "does not return from loading within \(Int(secondsAllowed)) s"
          : "crashes while it is loaded (signal \(signal), \(String(cString: strsignal(signal))))")
    }
    guard process.terminationStatus == 0 else {
      return .failed("ends the program while it is loaded (status \(process.terminationStatus))")
    }
    // A library may print while it is loaded; the answer is the last line.
    let lines = content.split(separator: 0x0A)
    guard let last = lines.last else { return .failed("gives no answer") }
    return .found(try JSONDecoder().decode(Found.self, from: last))
  }
}

/// All libraries of a search, each looked at in a child process.
struct PluginTable: Encodable {
  struct Row: Encodable {
    var kind: String
    var id: String
    var version: String
    var doc: String
    var library: String
    var origin: String
  }
  struct Skipped: Encodable {
    var path: String
    var reason: String
    var shadowed = false
  }

  var components: [Row] = []
  var skipped: [Skipped] = []

  init(_ search: PluginSearch) throws {
    let (files, problems) = search.files
    skipped = problems.map { Skipped(path: $0.path, reason: "\($0.reason)") }
    var seen: Set<String> = []
    for file in files {
      // The same file by two ways is one plugin.
      let path = URL(fileURLWithPath: file.path).resolvingSymlinksInPath().path
      guard seen.insert(path).inserted else { continue }
      switch try PluginProbe.run(path) {
      case .failed(let reason): skipped.append(Skipped(path: path, reason: reason))
      case .found(let found):
        skipped += found.skipped.map { Skipped(path: path, reason: $0.reason) }
        for component in found.components {
          add(
            Row(
              kind: component.kind, id: component.id, version: component.version,
              doc: component.doc, library: path, origin: file.origin.rawValue))
        }
      }
    }
    let builtIn = PluginHost(search: PluginSearch(usePlugins: false), threads: 1)
    for kind in PluginKind.allCases {
      for component in builtIn.components(kind) {
        add(
          Row(
            kind: kind.rawValue, id: component.id, version: component.library.version,
            doc: component.doc, library: component.library.location,
            origin: component.library.origin.rawValue))
      }
    }
    let order = PluginKind.allCases.map(\.rawValue)
    components.sort {
      let (a, b) = (order.firstIndex(of: $0.kind) ?? 0, order.firstIndex(of: $1.kind) ?? 0)
      return (a, $0.id) < (b, $1.id)
    }
  }

  /// The first library that offers an id wins.
  private mutating func add(_ row: Row) {
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

  var lines: [String] {
    var lines = Terminal.columns(
      [["kind", "id", "version", "library", ""]]
        + components.map { [$0.kind, $0.id, $0.version, $0.library, $0.doc] })
    if !skipped.isEmpty {
      lines += ["", "not used:"] + skipped.map { "  \($0.path): \($0.reason)" }
    }
    return lines
  }
}
