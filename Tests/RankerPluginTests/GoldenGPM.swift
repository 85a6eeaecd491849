import Foundation
import SparHost
import SparModel

/// The golden tiny general preference model, laid out as a folder that Spar loads.
///
/// The tokenizer spells id i as the added token "<t<i>>", so that texts name ids exactly.
struct GoldenGPM {
  let folder: Folder
  let expected: SafetensorsFile

  /// - Parameter weights: "gpm" or "bt".
  init(_ golden: String, weights: String = "gpm") throws {
    folder = try Folder()
    let source = golden + "/golden/rankers/gpm"
    try FileManager.default.copyItem(
      atPath: "\(source)/\(weights).safetensors", toPath: folder.file("model.safetensors"))
    try FileManager.default.copyItem(
      atPath: "\(source)/config.json", toPath: folder.file("config.json"))
    try layNumberedTokenizer(in: folder.path)
    expected = try SafetensorsFile(source + "/expected.safetensors")
  }

  func floats(_ name: String) throws -> [Float] { try expected.floats(name) }

  func ids(_ name: String) throws -> [Int32] {
    try expected.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
  }

  var prompt: [Int32] { get throws { try ids("prompt") } }
  var responses: [[Int32]] { get throws { try (0..<4).map { try ids("response.\($0)") } } }

  static func text(_ ids: [Int32]) -> String { ids.map { "<t\($0)>" }.joined() }
}

/// A tokenizer of 160 ids whose tokens are "<t0>" … "<t159>" (bos <t1>, eos <t2>), and a template
/// that is the messages' contents one after another.
func layNumberedTokenizer(
  in folder: String, template: String = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
) throws {
  let added = (0..<160).map { id in
    [
      "id": id, "content": "<t\(id)>", "special": id < 3, "single_word": false, "lstrip": false,
      "rstrip": false, "normalized": false,
    ] as [String: Any]
  }
  let byteLevel: [String: Any] = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
  ]
  try writeJSON(
    [
      "version": "1.0", "added_tokens": added, "normalizer": NSNull(),
      "pre_tokenizer": byteLevel, "decoder": byteLevel,
      "post_processor": [
        "type": "TemplateProcessing",
        "single": [
          ["SpecialToken": ["id": "<t1>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
        ],
        "pair": [
          ["SpecialToken": ["id": "<t1>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
          ["Sequence": ["id": "B", "type_id": 1]],
        ],
        "special_tokens": ["<t1>": ["id": "<t1>", "ids": [1], "tokens": ["<t1>"]]],
      ] as [String: Any],
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
        "byte_fallback": false,
        "vocab": Dictionary(uniqueKeysWithValues: (0..<160).map { ("<t\($0)>", $0) }),
        "merges": [String](),
      ] as [String: Any],
    ], to: folder + "/tokenizer.json")
  try writeJSON(
    [
      "bos_token": "<t1>", "eos_token": "<t2>", "pad_token": "<t0>", "chat_template": template,
    ], to: folder + "/tokenizer_config.json")
}

func writeJSON(_ object: [String: Any], to path: String) throws {
  try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
}

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
  let added = ["<pad>", "<s>", "</s>"].enumerated().map { id, content in
    [
      "id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
      "rstrip": false, "normalized": false,
    ] as [String: Any]
  }
  let byteLevel: [String: Any] = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
  ]
  try writeJSON(
    [
      "version": "1.0", "added_tokens": added, "normalizer": NSNull(),
      "pre_tokenizer": byteLevel, "post_processor": NSNull(), "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
        "byte_fallback": false, "vocab": vocabulary, "merges": [String](),
      ] as [String: Any],
    ], to: folder + "/tokenizer.json")
  try writeJSON(
    [
      "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
      "chat_template":
        "{% for m in messages %}{{ m['role'][0] + m['content'] + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ 'a' }}{% endif %}",
    ], to: folder + "/tokenizer_config.json")
}
