import Foundation
import Testing

/// The rules of the house that a compiler does not know.
@Suite("House") struct HouseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The floor of every module; an import goes down, never up or sideways.
  static let floors: [String: Int] = [
    "CSparPlugin": 0, "CSparThreads": 0, "CSparKernels": 0, "CSparHeap": 0, "CHDF5": 0,
    "CPCRE2": 0, "CZlib": 0, "CZstd": 0, "SparTensor": 0, "SparPairInput": 0,
    "SparPluginKit": 1,
    "CSparOperations": 1, "SparCompute": 1, "SparText": 1, "SparStore": 1, "SparData": 2,
    "SparModel": 2, "SparDiagnostics": 2, "SparHost": 3, "SparPreference": 4, "SparConformance": 4,
    "SparGeneration": 5,
    "SparRanking": 5, "SparActivations": 5, "SparTraining": 5,
    "SparEvaluation": 5, "SparRankerTraining": 6,
    "SparPipeline": 7, "SparReport": 8, "SparSweeps": 8, "SparCLI": 9,
  ]

  static func files(_ folders: String..., ending: [String]) throws -> [URL] {
    try folders.flatMap { folder in
      let base = root.appendingPathComponent(folder)
      let walk = try #require(
        FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil))
      return walk.compactMap { $0 as? URL }.filter { ending.contains($0.pathExtension) }
    }
  }

  @Test("imports go down only")
  func imports() throws {
    let sources = try Self.files("Sources", ending: ["swift"])
    #expect(sources.count > 100)
    for file in sources {
      let relative = file.path.dropFirst(Self.root.path.count + "/Sources/".count)
      let module = String(relative.split(separator: "/")[0])
      let own = try #require(Self.floors[module], "\(module) has no floor")
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.first == "import", let name = words.last.map(String.init),
          let other = Self.floors[name]
        else { continue }
        // C modules of floor 0 have no Swift above them; the kit lies beside the floors.
        #expect(
          other < own || (own == 0 && name.hasPrefix("C")),
          "\(relative) on floor \(own) imports \(name) on floor \(other)")
      }
    }
  }

  @Test("the host knows no plugin by name")
  func names() throws {
    for file in try Self.files("Sources/SparHost", "Sources/SparCompute", ending: ["swift"]) {
      let text = try String(contentsOf: file, encoding: .utf8)
      for name in [
        "\"openblas\"", "\"sppo\"", "\"gpo\"", "\"dpo\"", "\"likelihood\"", "\"length\"",
        "\"pairrm\"",
      ] {
        #expect(!text.contains(name), "\(file.lastPathComponent) names \(name)")
      }
    }
  }

  @Test("a file has at most 400 lines")
  func length() throws {
    for file in try Self.files("Sources", "Plugins", "Tests", ending: ["swift", "c"]) {
      let lines = try String(contentsOf: file, encoding: .utf8).split(
        separator: "\n", omittingEmptySubsequences: false
      ).count
      #expect(lines <= 401, "\(file.lastPathComponent) has \(lines) lines")
    }
  }

  @Test("no failure is dropped and nothing is left unfinished")
  func leftovers() throws {
    for file in try Self.files("Sources", "Plugins", ending: ["swift", "c", "h"]) {
      let text = try String(contentsOf: file, encoding: .utf8)
      for smell in [" try? ", "(try? ", " try! ", "TODO", "FIXME", "fatalError("] {
        #expect(!text.contains(smell), "\(file.lastPathComponent) contains \(smell)")
      }
    }
  }

  @Test("each prompt of the demo stands once, in one of the two files")
  func prompts() throws {
    var seen: Set<String> = []
    var counts: [Int] = []
    for name in ["train", "heldout"] {
      let path = Self.root.appendingPathComponent("docs/recipes/prompts/\(name).jsonl")
      let lines = try Data(contentsOf: path).split(separator: 0x0A)
      counts.append(lines.count)
      for line in lines {
        let row = try #require(
          try JSONSerialization.jsonObject(with: Data(line)) as? [String: String])
        #expect(seen.insert(try #require(row["prompt"]).lowercased()).inserted)
      }
    }
    #expect(counts[0] >= 200 && counts[1] >= 100)
  }
}
