import ArgumentParser
import SparStore

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what an HDF5 file of a run holds: groups, datasets, attributes.")

  @Argument(help: "candidates.h5, preferences.h5, a checkpoint…", completion: .file())
  var file: String

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  private struct Node: Encodable {
    var name: String
    var type: String?
    var shape: [Int]?
    var bytes: Int?
    var attributes: [String: String]
    var children: [Node]

    init(_ node: HDF5Outline.Node) {
      name = node.name
      type = node.dataset?.type
      shape = node.dataset?.shape
      bytes = node.dataset?.storedBytes
      attributes = node.attributes.mapValues(\.description)
      children = node.children.map(Node.init)
    }
  }

  func run() throws {
    let outline = try HDF5Outline(file)
    if json { return try Terminal.json(Node(outline.root)) }
    try Terminal.line(String(outline.text.dropLast()))
  }
}
