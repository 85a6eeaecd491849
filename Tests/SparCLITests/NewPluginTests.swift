import Foundation
import Testing

@Suite("New plugins") struct NewPluginTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private struct Report: Decodable {
    var folder: String
    var library: String
    var files: [String]
    var next: [String]
  }

  @Test(
    "every kind in every language is written whole: no placeholder, README, test and ignore list",
    arguments: ["objective", "ranker", "backend"], ["c", "cpp", "rust", "swift"])
  func written(kind: String, language: String) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let project = folder.file("deep/er")
    let result = try SparProcess.run([
      "plugin", "new", kind, "--language", language, "two-words", "--output", project,
      "--author", #"A "B" \C"#, "--json",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    #expect(report.folder == project)
    #expect(report.next.first == "cd \(project)")
    #expect(report.files.contains("README.md") && report.files.contains(".gitignore"))
    #expect(report.files.contains { $0.lowercased().contains("test") })
    for file in report.files {
      let text = try String(contentsOfFile: project + "/" + file, encoding: .utf8)
      #expect(
        text.firstMatch(of: /@[A-Z]+@/) == nil && !file.contains("@"), "a placeholder in \(file)")
      #expect(
        !text.contains("#define SPAR_ABI_GENERATION"), "\(file) is a copy of spar_plugin.h")
    }
    let readme = try String(contentsOfFile: project + "/README.md", encoding: .utf8)
    #expect(readme.contains(report.library))
    #expect(
      readme.contains("spar \(kind == "objective" ? "train" : kind == "ranker" ? "rank" : "bench")")
    )
  }

  @Test("a folder that holds something is left as it is")
  func occupied() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    _ = try folder.write("mine.c", "precious")
    let result = try SparProcess.run(
      ["plugin", "new", "objective", "--language", "c", "mine", "--output", folder.path])
    #expect(result.status == 2)
    #expect(result.errors.contains("not empty"), "\(result.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["mine.c"])
  }

  @Test(
    "a name that cannot be an id is refused, with the reason",
    arguments: ["Mine", "7b", "my_objective", "a--b", "a-", "ümlaut", "../up"])
  func name(_ name: String) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let result = try SparProcess.run([
      "plugin", "new", "ranker", "--language", "rust", name, "--output", folder.file("x"),
    ])
    #expect(result.status == 2)
    #expect(
      result.errors.contains("a-z") || result.errors.contains("letter")
        || result.errors.contains("hyphen"), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("x")))
  }

  @Test("what is missing or wrong on the command line is named")
  func usage() throws {
    for (arguments, word) in [
      (["objective", "mine"], "--language"), (["objective"], "name"),
      (["objectiv", "mine", "--language", "c"], "objective"),
      (["ranker", "mine", "--language", "zig"], "rust"),
      (["ranker", "mine", "--language", "c", "--include", "/no/such"], "spar_plugin.h"),
    ] {
      let result = try SparProcess.run(["plugin", "new"] + arguments)
      #expect(result.status == 2, "\(arguments)")
      #expect(result.errors.contains(word), "\(arguments): \(result.errors)")
    }
  }

  @Test("the list names three kinds and four languages")
  func list() throws {
    let result = try SparProcess.run(["plugin", "new", "--list"])
    #expect(result.status == 0)
    let names = result.lines.compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names == ["objective", "ranker", "backend", "c", "cpp", "rust", "swift"])
  }

  /// Installs, writes, builds and checks as an author would; takes about half a minute.
  @Test("projects in C, C++ and Rust build and pass outside this tree, against an installed Spar")
  func outside() throws {
    let script = Process()
    script.executableURL = Self.root.appendingPathComponent("scripts/check-examples.sh")
    script.arguments = ["--quick", SparProcess.program.deletingLastPathComponent().path]
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let log = folder.file("log")
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    let handle = FileHandle(forWritingAtPath: log)
    script.standardOutput = handle
    script.standardError = handle
    try script.run()
    script.waitUntilExit()
    let text = try String(contentsOfFile: log, encoding: .utf8)
    #expect(script.terminationStatus == 0, "\(text)")
    #expect(text.contains("ok    new backend in c ") && text.contains("ok    docs/examples/ipo.c"))
  }
}
