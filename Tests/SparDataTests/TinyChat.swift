import Foundation
import SparText
import Testing

/// A tokenizer of bytes with a few merges, and chat templates in the manner of real ones.
enum TinyChat {
  /// Byte-level BPE; `<s>` is 256, `</s>` 257, `<|end|>` 258, `<|user|>` 259, `<|bot|>` 260.
  static func tokenizer(addsBOS: Bool = false) throws -> Tokenizer {
    let alphabet = letters()
    var vocabulary = Dictionary(uniqueKeysWithValues: zip(alphabet, 0..<256))
    let special = ["<s>", "</s>", "<|end|>", "<|user|>", "<|bot|>"]
    for (place, token) in special.enumerated() { vocabulary[token] = 256 + place }
    // ": " and "yes" are tokens, so that a seam can merge.
    vocabulary[":Ġ"] = 261
    let added = special.enumerated().map { place, token in
      [
        "id": 256 + place, "content": token, "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true,
      ] as [String: Any]
    }
    var object: [String: Any] = [
      "version": "1.0", "added_tokens": added, "normalizer": NSNull(),
      "pre_tokenizer": [
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
      ],
      "decoder": [
        "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true,
      ],
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(),
        "continuing_subword_prefix": NSNull(), "end_of_word_suffix": NSNull(),
        "fuse_unk": false, "byte_fallback": false, "vocab": vocabulary, "merges": [": Ġ"],
      ],
    ]
    object["post_processor"] =
      addsBOS
      ? [
        "type": "TemplateProcessing",
        "single": [
          ["SpecialToken": ["id": "<s>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
        ],
        "pair": [
          ["SpecialToken": ["id": "<s>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
          ["Sequence": ["id": "B", "type_id": 1]],
        ],
        "special_tokens": ["<s>": ["id": "<s>", "ids": [256], "tokens": ["<s>"]]],
      ] as [String: Any] : NSNull()
    let config = try TokenizerConfig(
      tokenizerConfig: Data(#"{"bos_token": "<s>", "eos_token": "<|end|>"}"#.utf8), path: "tiny")
    return try Tokenizer(
      tokenizerJSON: JSONSerialization.data(withJSONObject: object), path: "tiny", config: config)
  }

  /// GPT-2's letters for the 256 bytes.
  private static func letters() -> [String] {
    var next: UInt32 = 256
    return (0..<256).map { byte in
      let isPlain = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
      defer { if !isPlain { next += 1 } }
      return String(Unicode.Scalar(isPlain ? UInt32(byte) : next) ?? " ")
    }
  }

  static let turns =
    "{% for m in messages %}{{ '<|user|>' if m.role == 'user' else '<|bot|>' if m.role == "
    + "'assistant' else '' }}{{ m.content }}<|end|>{% endfor %}"
  static let plain =
    "{{ bos_token }}" + turns
    + "{% if add_generation_prompt %}<|bot|>{% endif %}"

  static func chat(
    _ template: String? = plain, addsBOS: Bool = false, ends: [Int32] = [258]
  ) throws -> ChatEncoder {
    ChatEncoder(
      tokenizer: try tokenizer(addsBOS: addsBOS),
      template: try template.map { try ChatTemplate(source: $0, name: "tiny") },
      variables: ["bos_token": .string("<s>"), "eos_token": .string("<|end|>")], endIDs: ends,
      path: "tiny")
  }
}
