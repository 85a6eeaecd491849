import Foundation
import SparText

extension ModelConfig {
  /// The config.json that was read, fields that no code here knows included, with the type of the
  /// weights that go with it and the ids that end an answer.
  public func json(dtype: String = "float32") throws -> Data {
    var node = source.with(weightType: dtype)
    if try eos != ConfigFields(node: source, path: modelType).ids("eos_token_id") {
      let ids = eos.map { JSONNode.integer(Int($0)) }
      node = node.with("eos_token_id", ids.count == 1 ? ids[0] : .array(ids))
    }
    return node.file
  }
}

extension ModelFiles {
  /// The same model with the input embedding as its output embedding, whatever its config says.
  public func tyingEmbeddings() throws -> ModelFiles {
    var files = self
    files.config = try ConfigFields(data: config, path: path).node
      .with("tie_word_embeddings", .boolean(true)).file
    return files
  }
}

extension JSONNode {
  /// A config.json with the type of the weights that go with it, under the keys that it uses:
  /// `dtype` since transformers 5, else `torch_dtype`.
  func with(weightType dtype: String) -> JSONNode {
    let spelled = ["dtype", "torch_dtype"].filter { self[$0] != nil }
    return (spelled.isEmpty ? ["torch_dtype"] : spelled).reduce(self) {
      $0.with($1, .string(dtype))
    }
  }

  /// The object with that member, in its place or at the end.
  fileprivate func with(_ name: String, _ value: JSONNode) -> JSONNode {
    var members = self.members ?? []
    if let place = members.lastIndex(where: { $0.key == name }) {
      members[place].value = value
    } else {
      members.append(JSONMember(key: name, value: value))
    }
    return .object(members)
  }

  /// The text of a file that people may read.
  var file: Data { Data((JSONWriter.text(self, indent: 2) + "\n").utf8) }
}
