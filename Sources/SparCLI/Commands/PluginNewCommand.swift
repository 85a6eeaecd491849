import ArgumentParser
import Foundation

extension PluginProject.Kind: ExpressibleByArgument {}
extension PluginProject.Language: ExpressibleByArgument {}

/// `spar plugin new`: a small project that builds, passes its own test and does something true.
struct PluginNewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Write a plugin project: an objective, a ranker or a backend.",
    discussion: """
      spar plugin new objective --language c mine
      spar plugin new ranker --language rust tidy --author "Ada Lovelace"

      The project builds with its language's own tool against the installed spar_plugin.h, which \
      pkg-config finds; in the project SPAR_INCLUDE=FOLDER overrides it. Its README says how to \
      build, test, check and use it.
      """)

  @Argument(help: "objective, ranker or backend.")
  var kind: PluginProject.Kind?

  @Argument(help: "The component's id: a-z, 0-9 and -, a letter first.")
  var name: String?

  @Option(name: .shortAndLong, help: "c, cpp, rust or swift.")
  var language: PluginProject.Language?

  @Option(name: .shortAndLong, help: "Folder to write to. (default: NAME)", completion: .directory)
  var output: String?

  @Option(help: "Who is named as the plugin's vendor. (default: the authors of NAME)")
  var author: String?

  @Option(help: "The plugin's licence, such as Apache-2.0.")
  var license = "unspecified"

  @Option(
    help: "Folder of spar_plugin.h to write into the project. (default: found by pkg-config)",
    completion: .directory)
  var include: String?

  @Flag(help: "List the kinds and languages.")
  var list = false

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  func run() throws {
    if list { return try printList() }
    guard let kind, let name else {
      throw UsageError(
        "a kind and a name are needed", hint: "spar plugin new objective --language c mine")
    }
    guard let language else {
      throw UsageError(
        "--language is missing",
        hint: "it is one of "
          + PluginProject.Language.allCases.map(\.rawValue).joined(separator: ", "))
    }
    if let objection = PluginProject.objection(toName: name) {
      throw UsageError("\"\(name)\" cannot be a plugin's name: \(objection)")
    }
    let author = author ?? "the authors of \(name)"
    for (flag, text) in [("--author", author), ("--license", license)] {
      guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 }), !text.contains("@") else {
        throw UsageError("\(flag) must be one line without control characters and @")
      }
    }
    let tree = try SparTree.ofProgram()
    let project = PluginProject(
      kind: kind, language: language, name: name, author: author, license: license,
      include: try includeFolder())
    let folder = try write(project.files(templates: tree.templates), for: project)
    try report(project, folder: folder.path, files: folder.files, tree: tree)
  }

  /// The folder of --include as an absolute path; empty without it.
  private func includeFolder() throws -> String {
    guard let include else { return "" }
    let folder = URL(fileURLWithPath: include).standardizedFileURL.path
    guard FileManager.default.fileExists(atPath: folder + "/spar_plugin.h") else {
      throw UsageError("--include \(include): there is no spar_plugin.h in that folder")
    }
    // The path goes into makefiles and manifests as it is.
    guard !folder.contains(where: { "\"\\$#@ ".contains($0) }) else {
      throw UsageError("--include \(include): the path holds a blank or one of \" \\ $ # @")
    }
    return folder
  }

  private func write(
    _ files: [(path: String, text: String)], for project: PluginProject
  ) throws -> (path: String, files: [String]) {
    let path = output ?? project.name
    let folder = URL(fileURLWithPath: path)
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    if manager.fileExists(atPath: folder.path, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw UsageError("\(path) is a file", hint: "give another folder with --output")
      }
      guard try manager.contentsOfDirectory(atPath: folder.path).isEmpty else {
        throw UsageError(
          "the folder \(path) is not empty, so nothing was written",
          hint: "give another one with --output")
      }
    }
    for file in files {
      let target = folder.appendingPathComponent(file.path)
      try manager.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(file.text.utf8).write(to: target)
    }
    return (path, files.map(\.path))
  }

  private struct Report: Encodable {
    var kind, language, id, folder, library: String
    var files, next: [String]
  }

  private func report(
    _ project: PluginProject, folder: String, files: [String], tree: SparTree
  ) throws {
    let preparation = include == nil ? try tree.preparation() : nil
    let next =
      ["cd \(folder)"] + [preparation].compactMap(\.self) + project.steps
      + ["spar plugin info ./\(project.built)"]
    if json {
      return try Terminal.json(
        Report(
          kind: project.kind.rawValue, language: project.language.rawValue, id: project.name,
          folder: folder, library: project.built, files: files, next: next))
    }
    try Terminal.line("\(folder): \(project.kind.rawValue) in \(project.language.rawValue)")
    for file in files { try Terminal.line("  \(file)") }
    try Terminal.line("next:")
    for step in next { try Terminal.line("  \(step)") }
  }

  private struct Listing: Encodable {
    struct Row: Encodable { var name, does: String }
    var kinds, languages: [Row]
  }

  private func printList() throws {
    let kinds = PluginProject.Kind.allCases.map {
      Listing.Row(name: $0.rawValue, does: $0.example)
    }
    let languages = PluginProject.Language.allCases.map {
      Listing.Row(name: $0.rawValue, does: "built with \($0.tool)")
    }
    if json { return try Terminal.json(Listing(kinds: kinds, languages: languages)) }
    for line in Terminal.columns((kinds + languages).map { [$0.name, $0.does] }) {
      try Terminal.line(line)
    }
  }
}
