import Yams

/// A part of a recipe that is more than `key: value`: texts, lists and mappings with their lines.
public struct RecipeNode: Equatable, Sendable {
  public struct Field: Equatable, Sendable {
    public var name: String
    public var node: RecipeNode
  }
  public indirect enum Content: Equatable, Sendable {
    case text(String)
    case list([RecipeNode])
    case fields([Field])
  }
  public var content: Content
  public var line: Int

  public init(_ content: Content, line: Int) {
    self.content = content
    self.line = line
  }

  init(_ node: Node, path: String) throws(RecipeError) {
    line = node.mark?.line ?? 0
    switch node {
    case .scalar(let scalar): content = .text(scalar.string)
    case .sequence(let sequence):
      var items: [RecipeNode] = []
      for item in sequence { items.append(try RecipeNode(item, path: path)) }
      content = .list(items)
    case .mapping(let mapping):
      var fields: [Field] = []
      for (key, value) in mapping {
        guard let name = key.scalar?.string else {
          throw .syntax(path: path, line: key.mark?.line ?? line, problem: "a key must be a word")
        }
        fields.append(Field(name: name, node: try RecipeNode(value, path: path)))
      }
      content = .fields(fields)
    case .alias:
      throw .syntax(path: path, line: line, problem: "an alias that leads nowhere")
    }
  }

  public func field(_ name: String) -> RecipeNode? {
    guard case .fields(let fields) = content else { return nil }
    return fields.first { $0.name == name }?.node
  }
}
