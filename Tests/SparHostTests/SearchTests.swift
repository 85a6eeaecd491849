import Foundation
import Testing

@testable import SparHost

@Suite("Search") struct SearchTests {
  @Test("goes from explicit paths to the environment, the program and the system")
  func order() throws {
    let folders = try (0..<5).map { _ in try Folder() }
    for (i, folder) in folders.enumerated() {
      try folder.write("libspar-\(i).so", Data())
    }
    var order = search(
      [folders[0].path], environment: ["SPAR_PLUGIN_PATH": "\(folders[1].path)::\(folders[2].path)"]
    )
    order.executableDirectory = folders[3].path
    order.installed = [folders[4].path]
    let (found, problems) = order.candidates()
    #expect(found.map { $0.path.suffix(4) } == ["0.so", "1.so", "2.so", "3.so", "4.so"])
    #expect(
      found.map(\.origin) == [.explicit, .environment, .environment, .executable, .installed])
    #expect(problems.isEmpty)
  }

  @Test("takes only libspar-*.so of folders, sorted, but a file of any name")
  func names() throws {
    let folder = try Folder()
    for name in ["libspar-b.so", "libspar-a.so", "libother.so", "libspar-c.txt"] {
      try folder.write(name, Data())
    }
    let file = try folder.write("mine.plugin", Data())
    let (found, _) = search([file, folder.path]).candidates()
    #expect(
      found.map { lastComponent($0.path) } == ["mine.plugin", "libspar-a.so", "libspar-b.so"])
  }

  @Test("never means the working directory")
  func workingDirectory() {
    let (found, problems) = search(
      environment: ["SPAR_PLUGIN_PATH": ":.:plugins:"]
    ).candidates()
    #expect(found.isEmpty)
    #expect(problems.map(\.reason) == [.relativePath, .relativePath])
  }

  @Test("ignores the environment of a privileged program")
  func privileged() throws {
    let folder = try Folder()
    try folder.write("libspar-x.so", Data())
    var privileged = search(environment: ["SPAR_PLUGIN_PATH": folder.path])
    privileged.isPrivileged = true
    #expect(privileged.candidates().found.isEmpty)
    #expect(PluginSearch().isPrivileged == false)
  }

  @Test("can be switched off")
  func off() {
    var none = PluginSearch(usePlugins: false)
    none.environment = [:]
    let host = PluginHost(search: none, threads: 1)
    #expect(host.loaded.isEmpty && host.problems.isEmpty)
  }

  @Test("tells of named places that are not there, and is silent about default ones")
  func missing() {
    var absent = search(["/nowhere/x"], environment: ["SPAR_PLUGIN_PATH": "/nowhere/y"])
    absent.executableDirectory = "/nowhere/bin"
    absent.installed = ["/nowhere/lib"]
    #expect(absent.candidates().problems.map(\.path) == ["/nowhere/x", "/nowhere/y"])
  }

  @Test("gives an id to the first library that offers it, and shows the others")
  func shadowing() throws {
    let first = try Folder()
    let second = try Folder()
    try first.library("libspar-a.so", objectiveSource(id: "twin", plugin: "t.a", scale: "1"))
    try second.library("libspar-b.so", objectiveSource(id: "twin", plugin: "t.b", scale: "2"))
    try second.library("libspar-c.so", objectiveSource(id: "other", plugin: "t.a"))
    let host = PluginHost(search: search([first.path, second.path]), threads: 1)
    let component = try host.component(.objective, "twin")
    #expect(component.library.path == "\(first.path)/libspar-a.so")
    let result = try host.makeObjective("twin", options: [:]).evaluate(plainBatch(logp: [-3]))
    #expect(result.loss == [-3])
    #expect(
      host.problems.map(\.reason) == [
        .shadowed(what: "objective twin", by: "\(first.path)/libspar-a.so"),
        .shadowed(what: "plugin t.a", by: "\(first.path)/libspar-a.so"),
      ])
    let listing = PluginListing(host)
    #expect(listing.skipped.map(\.shadowed) == [true, true])
    #expect(listing.components.map(\.id) == ["twin", "reference"])
  }

  @Test("takes one file found by two ways once")
  func once() throws {
    let folder = try Folder()
    try folder.library("libspar-a.so", objectiveSource(id: "one", plugin: "t.one"))
    let link = "\(folder.path)/libspar-link.so"
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "libspar-a.so")
    let host = PluginHost(search: search([folder.path, folder.path]), threads: 1)
    #expect(host.loaded.count == 1 && host.problems.isEmpty)
  }
}
