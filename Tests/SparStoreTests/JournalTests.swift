import Foundation
import SparStore
import Testing

@Suite("Journals of unfinished work") struct JournalTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder["out.h5.journal"]
  }

  private func lines(_ journal: Journal) -> [String] {
    journal.resumed.map { String(decoding: $0, as: UTF8.self) }
  }

  private func write(_ key: String, _ lines: String...) throws {
    let journal = try Journal(path: path, key: key)
    for line in lines { try journal.append(Data(line.utf8)) }
  }

  @Test("work of other settings is set aside, and found by who comes back with them")
  func others() throws {
    try write("aaaaaaaa11", "one", "two")
    let other = try Journal(path: path, key: "bbbbbbbb22")
    #expect(lines(other) == [])
    try other.append(Data("three".utf8))
    #expect(lines(try Journal(path: path, key: "aaaaaaaa11")) == ["one", "two"])
    let back = try Journal(path: path, key: "bbbbbbbb22")
    #expect(lines(back) == ["three"])
    try back.remove()
    #expect(lines(try Journal(path: path, key: "aaaaaaaa11")) == ["one", "two"])
  }

  @Test("without finished work there is nothing to set aside")
  func empty() throws {
    try write("aaaaaaaa11")
    try write("bbbbbbbb22", "one")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names == ["out.h5.journal"])
  }

  @Test("a line that was cut short is dropped, and the next one takes its place")
  func torn() throws {
    try write("k", "one", "two")
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for bytes in 0..<whole.count {
      try whole.prefix(bytes).write(to: URL(fileURLWithPath: path))
      let journal = try Journal(path: path, key: "k")
      #expect(["one", "two"].starts(with: lines(journal)), "\(bytes)")
      try journal.append(Data("three".utf8))
      #expect(lines(try Journal(path: path, key: "k")) == lines(journal) + ["three"])
    }
  }

  @Test("a file that is no journal is left alone", arguments: ["{\"prompt\": \"a\"}\n", "x", "{}"])
  func foreign(text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: JournalError.self) { try Journal(path: path, key: "k") }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
  }
}
