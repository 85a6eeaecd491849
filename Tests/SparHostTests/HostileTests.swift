import Foundation
import Testing

@testable import SparHost

@Suite("Hostile libraries are skipped with a reason") struct HostileTests {
  /// The one reason for which a host of this folder skips its only library.
  private func reason(_ folder: Folder) throws -> PluginProblem.Reason {
    let host = PluginHost(search: search([folder.path]), threads: 1)
    #expect(host.loaded.isEmpty)
    try #require(host.problems.count == 1, "\(host.problems)")
    return host.problems[0].reason
  }

  @Test("a text file named like a library")
  func textFile() throws {
    let folder = try Folder()
    try folder.write("libspar-x.so", Data(String(repeating: "not a library\n", count: 99).utf8))
    #expect(try reason(folder) == .notALibrary(.malformed(lacks: "the ELF magic")))
  }

  @Test("an empty file, and a folder")
  func emptyFile() throws {
    let folder = try Folder()
    try folder.write("libspar-x.so", Data())
    #expect(try reason(folder) == .notALibrary(.malformed(lacks: "an ELF header")))
    let other = try Folder()
    try FileManager.default.createDirectory(
      atPath: other.path + "/libspar-x.so", withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o755])
    #expect(try reason(other) == .notALibrary(.unreadable("not a regular file")))
  }

  @Test("a named pipe, without waiting for its writer")
  func pipe() throws {
    let folder = try Folder()
    mkfifo(folder.path + "/libspar-x.so", 0o600)
    #expect(try reason(folder) == .notALibrary(.unreadable("not a regular file")))
  }

  @Test("a stray library, whose constructor does not run")
  func stray() throws {
    let folder = try Folder()
    let mark = folder.path + "/ran"
    try folder.library(
      "libspar-x.so",
      """
      #include <stdio.h>
      __attribute__((constructor)) static void run(void) { fclose(fopen("\(mark)", "w")); }
      """)
    #expect(try reason(folder) == .noEntrySymbol)
    #expect(!FileManager.default.fileExists(atPath: mark))
  }

  @Test("a library that needs an entry and does not define it")
  func undefinedEntry() throws {
    let folder = try Folder()
    try folder.library(
      "libspar-x.so",
      """
      extern void *spar_plugin_entry_v1(void);
      __attribute__((visibility("default"))) void *other(void) { return spar_plugin_entry_v1(); }
      """, ["-Wl,-z,undefs"])
    #expect(try reason(folder) == .noEntrySymbol)
  }

  @Test("a plugin for another generation, by name")
  func generation() throws {
    let folder = try Folder()
    try folder.library(
      "libspar-x.so",
      """
      __attribute__((visibility("default"))) void *spar_plugin_entry_v2(void) { return 0; }
      """)
    #expect(try reason(folder) == .otherGeneration(["spar_plugin_entry_v2"]))
  }

  @Test("a plugin whose dependency is missing")
  func dependency() throws {
    let folder = try Folder()
    let needed = try folder.library("libneeded.so", "int needed(void) { return 1; }")
    try folder.library(
      "libspar-x.so", objectiveSource(id: "x", plugin: "t.needs"),
      ["-L\(folder.path)", "-Wl,--no-as-needed", "-lneeded"])
    try FileManager.default.removeItem(atPath: needed)
    guard case .dlopenFailed(let why) = try reason(folder) else {
      Issue.record("loaded without its dependency")
      return
    }
    #expect(why.contains("libneeded.so"))
  }

  @Test("a file that the group may write", arguments: [0o664, 0o646])
  func writableFile(mode: Int) throws {
    let folder = try Folder()
    let file = try folder.library("libspar-x.so", objectiveSource(id: "x", plugin: "t.w"))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    let found = try reason(folder)
    #expect(
      found == .unsafe(UnsafePath(path: file, reason: .writable(mode: UInt32(mode)))))
    #expect("\(found)".contains("mode \(String(mode, radix: 8)) (hint: chmod go-w"))
  }

  @Test("a file in a folder that others may write, also through a link")
  func writableFolder() throws {
    let folder = try Folder()
    let file = try folder.library("libspar-x.so", objectiveSource(id: "x", plugin: "t.wf"))
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
    let expected = PluginProblem.Reason.unsafe(
      UnsafePath(path: folder.path, reason: .writable(mode: 0o777)))
    #expect(try reason(folder) == expected)
    let linked = try Folder()
    try FileManager.default.createSymbolicLink(
      atPath: linked.path + "/libspar-x.so", withDestinationPath: file)
    #expect(try reason(linked) == expected)
  }

  @Test("a file of another user", .enabled(if: geteuid() == 0, "only root can give files away"))
  func owner() throws {
    let folder = try Folder()
    let file = try folder.library("libspar-x.so", objectiveSource(id: "x", plugin: "t.o"))
    try #require(chown(file, 12345, 12345) == 0)
    #expect(try reason(folder) == .unsafe(UnsafePath(path: file, reason: .owner(12345))))
  }

  @Test("a library cut short, at any length")
  func truncated() throws {
    let folder = try Folder()
    let whole = try Data(
      contentsOf: URL(
        filePath: folder.library("whole.so", objectiveSource(id: "x", plugin: "t.cut"))))
    for length in stride(from: 0, to: whole.count, by: 97) {
      try folder.write("cut.so", whole.prefix(length))
      #expect(throws: ELFProblem.self, "\(length) of \(whole.count) bytes") {
        try definedSymbols(of: folder.path + "/cut.so", startingWith: "spar")
      }
    }
  }

  @Test("a library with random bytes anywhere in its tables never crashes the reader")
  func corrupted() throws {
    let folder = try Folder()
    let whole = try Data(
      contentsOf: URL(
        filePath: folder.library("whole.so", objectiveSource(id: "x", plugin: "t.noise"))))
    var state: UInt64 = 7
    func next() -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33)
    }
    for _ in 0..<500 {
      var noisy = whole
      for _ in 0..<4 {
        // The header and the section table, where every offset comes from.
        let isHeader = next() % 2 == 0
        let at = isHeader ? 4 + next() % 60 : whole.count - 1 - next() % 1800
        noisy[at] = UInt8(truncatingIfNeeded: next())
      }
      try folder.write("noisy.so", noisy)
      do {
        _ = try definedSymbols(of: folder.path + "/noisy.so", startingWith: "spar")
      } catch {
        #expect(!"\(error)".isEmpty)
      }
    }
  }

  @Test("a stripped plugin is none of them")
  func stripped() throws {
    let folder = try Folder()
    try folder.library("libspar-x.so", objectiveSource(id: "bare", plugin: "t.bare"), ["-s"])
    let host = PluginHost(search: search([folder.path]), threads: 1)
    #expect(host.components(.objective).map(\.id) == ["bare"] && host.problems.isEmpty)
  }

  @Test("beside a good one, which still works")
  func mixed() throws {
    let folder = try Folder()
    try folder.write("libspar-a.so", Data("junk".utf8))
    try folder.library("libspar-b.so", objectiveSource(id: "good", plugin: "t.good"))
    let host = PluginHost(search: search([folder.path]), threads: 1)
    #expect(host.problems.count == 1)
    #expect(try host.makeObjective("good", options: [:]).metricNames.isEmpty)
    let error = #expect(throws: PluginError.self) { try host.component(.objective, "gpo") }
    #expect("\(error as Any)".contains("skipped: \(folder.path)/libspar-a.so"))
  }
}
