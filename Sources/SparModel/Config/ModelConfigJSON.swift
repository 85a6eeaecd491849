import Foundation
import SparText

extension ModelConfig {
  /// The config.json that was read, fields that no code here knows included, with the type of the
  /// weights that go with it and the ids that end an answer.
  public func json(dtype: String = "float32") throws -> Data {
    var members = source.members ?? []
    func set(_ name: String, _ value: JSONNode) {
      if let place = members.lastIndex(where: { $0.key == name }) {
        members[place].value = value
      } else {
        members.append(JSONMember(key: name, value: value))
      }
    }
    let spelled = ["dtype", "torch_dtype"].filter { source[$0] != nil }
    for name in spelled.isEmpty ? ["torch_dtype"] : spelled { set(name, .string(dtype)) }
    if try eos != ConfigFields(node: source, path: modelType).ids("eos_token_id") {
      let ids = eos.map { JSONNode.integer(Int($0)) }
      set("eos_token_id", ids.count == 1 ? ids[0] : .array(ids))
    }
    return Data((JSONWriter.text(.object(members), indent: 2) + "\n").utf8)
  }
}
