import Foundation
import Testing

@Suite("Plugins on the command line") struct PluginCommandTests {
  private struct Listing: Decodable {
    struct Row: Decodable {
      var kind: String
      var id: String
    }
    struct Skipped: Decodable {
      var path: String
      var reason: String
    }
    var components: [Row]
    var skipped: [Skipped]
  }

  private func list(_ arguments: [String]) throws -> Listing {
    let result = try SparProcess.run(["plugin", "list", "--json"] + arguments)
    #expect(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Listing.self, from: Data(result.output.utf8))
  }

  @Test("the list holds what was built, and the built-in reference")
  func built() throws {
    let ids = try list([]).components.map(\.id)
    for id in [
      "openblas", "reference", "sppo", "sppo-single", "gpo", "dpo", "length", "likelihood",
    ] {
      #expect(ids.contains(id), "\(id)")
    }
    #expect(try list(["--no-plugins"]).components.map(\.id) == ["reference"])
  }

  @Test("a file that is no plugin is a line with the reason")
  func stray() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let file = try folder.write("libspar-stray.so", "not a library")
    let listing = try list(["--plugin-path", file])
    #expect(listing.skipped.contains { $0.path.hasSuffix("libspar-stray.so") })
    #expect(listing.components.contains { $0.id == "sppo" })
  }

  @Test("a plugin that crashes while it is loaded is a line, not the end")
  func crashing() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let source = try folder.write(
      "crash.c", "#include <stdlib.h>\nconst void *spar_plugin_entry_v1(void) { abort(); }\n")
    let library = folder.file("libspar-crash.so")
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = ["clang", "-shared", "-fPIC", "-o", library, source]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0, "clang comes with the Swift toolchain")
    let listing = try list(["--plugin-path", library])
    let row = try #require(listing.skipped.first { $0.path.hasSuffix("libspar-crash.so") })
    #expect(row.reason.contains("crashes"), "\(row.reason)")
    #expect(listing.components.contains { $0.id == "sppo" })
  }

  @Test("info shows the options, or says that nobody has that id")
  func info() throws {
    let known = try SparProcess.run(["plugin", "info", "sppo_single"])
    #expect(known.status == 0)
    #expect(known.output.contains("beta"))
    let unknown = try SparProcess.run(["plugin", "info", "spqo"])
    #expect(unknown.status == 2)
    #expect(unknown.errors.contains("spqo"))
  }
}
