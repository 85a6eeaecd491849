import Foundation
import Testing

@testable import SparHost

@Suite("Plugins in the tree") struct TreePluginTests {
  @Test("export their entry and nothing else, without Foundation unless they speak HTTP")
  func symbols() throws {
    let paths = try builtHost().libraries.compactMap(\.path)
    #expect(paths.count >= 5)
    for path in paths {
      #expect(try definedSymbols(of: path, startingWith: "") == ["spar_plugin_entry_v1"])
      let image = try Data(contentsOf: URL(filePath: path))
      guard !path.hasSuffix("/libspar-judge.so") else { continue }
      #expect(image.range(of: Data("libFoundation".utf8)) == nil, "\(path)")
    }
  }

  @Test("document every option and accept their own defaults")
  func options() throws {
    let host = try builtHost()
    for component in [.objective, .ranker].flatMap(host.components) {
      #expect(component.doc.hasSuffix("."), "\(component.id)")
      for option in component.options {
        #expect(option.doc.hasSuffix("."), "\(component.id).\(option.name)")
      }
      let required = component.options.filter(\.required).map { option in
        (option.name, option.choices.first ?? "x")
      }
      let given = Dictionary(required, uniquingKeysWith: { first, _ in first })
      #expect(try component.check(given).count == component.options.count)
    }
  }
}

@Suite("Listings") struct ListingTests {
  @Test("show every component as text and as JSON")
  func list() throws {
    let listing = PluginListing(try builtHost())
    let ids = listing.components.map(\.id)
    for id in ["dpo", "gpo", "sppo", "sppo-hard", "sppo-single", "length", "likelihood"] {
      #expect(ids.contains(id), "\(ids)")
    }
    let text = listing.description
    #expect(text.contains(/objective +sppo-single +0\.1\.0/))
    let json = String(decoding: try JSONEncoder().encode(listing), as: UTF8.self)
    #expect(json.contains("\"id\":\"gpo\"") && json.contains("\"origin\":\"beside the program\""))
  }

  @Test("describe options with type, range, default and help")
  func info() throws {
    let info = PluginInfo(try builtHost().component(.objective, "dpo"))
    let lines = info.description.split(separator: "\n").map(String.init)
    #expect(
      lines.contains {
        $0.contains("label-smoothing  a number from 0 to 0.5") && $0.contains("default 0.0")
      }, "\(info)")
    let json = String(decoding: try JSONEncoder().encode(info), as: UTF8.self)
    #expect(json.contains("\"maximum\":0.5") && json.contains("\"type\":\"float\""))
  }
}
