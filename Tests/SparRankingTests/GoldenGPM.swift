import Foundation
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
