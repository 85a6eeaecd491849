import Foundation
import RankerFixtures
import SparHost
import SparModel

extension GoldenGPM {
  /// The prompt and its four answers as texts.
  func query() throws -> RankQuery {
    RankerPluginTests.query(Self.text(try prompt), try responses.map(Self.text))
  }

  /// Adds entries to config.json.
  func configure(_ entries: [String: Any]) throws {
    let path = folder.file("config.json")
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let config = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    try writeJSON(config.merging(entries) { $1 }, to: path)
  }

  /// Renames a tensor, or takes it out.
  func rename(_ name: String, to other: String?, shape: [Int]? = nil) throws {
    let path = folder.file("model.safetensors")
    let file = try SafetensorsFile(path)
    let tensors = try file.entries.compactMap { entry -> SafetensorsWriter.Tensor? in
      let isMeant = entry.name == name
      if isMeant, other == nil { return nil }
      let values = try file.floats(entry.name)
      let sizes = isMeant ? shape ?? entry.shape : entry.shape
      let kept = Array(values.prefix(sizes.reduce(1, *)))
      return SafetensorsWriter.Tensor(
        name: isMeant ? other ?? name : entry.name, type: .f32, shape: sizes,
        lend: { body in try kept.withUnsafeBufferPointer(body) })
    }
    try SafetensorsWriter.write(tensors, metadata: [:], to: path)
  }
}

/// A tokenizer that spells every text: bytes 0…127 and a token for all others, by byte-level BPE
/// over 160 ids; "A" and "B" are single tokens.
func layByteTokenizer(in folder: String) throws {
  // The alphabet of byte-level BPE: printable bytes stand for themselves, others are moved up.
  var vocabulary = ["<pad>": 0, "<s>": 1, "</s>": 2]
  var moved = 256
  for byte in 0..<256 {
    let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
    let scalar = isPrintable ? byte : moved
    if !isPrintable { moved += 1 }
    guard let letter = UnicodeScalar(scalar) else { continue }
    // 160 ids do not hold 256 bytes: the upper ones share ids with none, and are left out.
    if vocabulary.count < 160 { vocabulary[String(letter)] = vocabulary.count }
  }
  try layTokenizer(
    in: folder, added: ["<pad>", "<s>", "</s>"].map { AddedToken($0, isSpecial: true) },
    vocabulary: vocabulary)
  try writeJSON(
    [
      "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
      "chat_template":
        "{% for m in messages %}{{ m['role'][0] + m['content'] + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ 'a' }}{% endif %}",
    ], to: folder + "/tokenizer_config.json")
}
