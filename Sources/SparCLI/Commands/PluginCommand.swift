import ArgumentParser
import SparHost
import SparText

struct PluginCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin", abstract: "See the backends, rankers and objectives that are there.",
    subcommands: [
      List.self, Info.self, Check.self, PluginNewCommand.self, Probe.self, RunTest.self,
    ])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List what was found, and what was found and not used, with the reason.",
      discussion: """
        Searched in this order: --plugin-path, SPAR_PLUGIN_PATH, the folder of spar, \
        ../lib/spar/plugins from it, /usr/local/lib/spar/plugins, /usr/lib/spar/plugins.
        """)

    @OptionGroup var plugins: PluginOptions

    @Flag(help: "Print the result as JSON on stdout.")
    var json = false

    func run() throws {
      let table = try PluginTable(
        PluginSearch(paths: plugins.pluginPath, usePlugins: !plugins.noPlugins))
      if json { return try Terminal.json(table) }
      for line in table.lines { try Terminal.line(line) }
    }
  }

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a component and its options, by id or by file.")

    @Argument(help: "An id such as sppo, or a library's file.", completion: .file())
    var name: String

    @OptionGroup var plugins: PluginOptions

    @Flag(help: "Print the result as JSON on stdout.")
    var json = false

    func run() throws {
      let found = try components()
      if json { return try Terminal.json(found.map { PluginInfo($0) }) }
      for (index, component) in found.enumerated() {
        if index > 0 { try Terminal.line("") }
        try Terminal.line(PluginInfo(component).description)
      }
    }

    private func components() throws -> [PluginComponent] {
      let isFile = name.contains("/") || name.hasSuffix(".so")
      let host = isFile ? PluginHost(search: .only(name), threads: 1) : plugins.host()
      let all = PluginKind.allCases.flatMap { host.components($0) }
      if isFile {
        let own = all.filter { $0.library.path != nil }
        if own.isEmpty, let problem = host.problems.first { throw problem }
        return own
      }
      // An id may be that of an objective and of a ranker.
      let id = name.replacing("_", with: "-")
      let named = all.filter { $0.id == id }
      guard named.isEmpty else { return named }
      throw PluginError.unknownComponent(
        kind: nil, id: name, known: all.map(\.id).sorted(),
        nearest: NearestName.of(id, among: all.map(\.id)),
        problems: host.problems)
    }
  }

  struct Probe: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Load one library and describe it as JSON.", shouldDisplay: false)

    @Argument var file: String

    func run() throws {
      try Terminal.json(PluginProbe.Found(loading: file))
    }
  }
}
