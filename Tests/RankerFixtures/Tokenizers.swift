import Foundation

/// A token that is found in a text before the vocabulary is asked.
package struct AddedToken {
  package var content: String
  package var isSpecial: Bool

  package init(_ content: String, isSpecial: Bool) {
    self.content = content
    self.isSpecial = isSpecial
  }
}

/// Writes tokenizer.json of byte-level BPE without merges; the added tokens have the first ids.
package func layTokenizer(
  in folder: String, added: [AddedToken], vocabulary: [String: Int],
  postProcessor: Any = NSNull()
) throws {
  let added = added.enumerated().map { id, token in
    [
      "id": id, "content": token.content, "special": token.isSpecial, "single_word": false,
      "lstrip": false, "rstrip": false, "normalized": false,
    ] as [String: Any]
  }
  let byteLevel: [String: Any] = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
  ]
  try writeJSON(
    [
      "version": "1.0", "added_tokens": added, "normalizer": NSNull(),
      "pre_tokenizer": byteLevel, "post_processor": postProcessor, "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
        "byte_fallback": false, "vocab": vocabulary, "merges": [String](),
      ] as [String: Any],
    ], to: folder + "/tokenizer.json")
}

/// A tokenizer of 160 ids whose tokens are "<t0>" … "<t159>" (bos <t1>, eos <t2>), and a template
/// that is the messages' contents one after another.
package func layNumberedTokenizer(
  in folder: String, template: String = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
) throws {
  let names = (0..<160).map { "<t\($0)>" }
  try layTokenizer(
    in: folder,
    added: names.enumerated().map { AddedToken($0.element, isSpecial: $0.offset < 3) },
    vocabulary: Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) }),
    postProcessor: [
      "type": "TemplateProcessing",
      "single": [
        ["SpecialToken": ["id": "<t1>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
      ],
      "pair": [
        ["SpecialToken": ["id": "<t1>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
        ["Sequence": ["id": "B", "type_id": 1]],
      ],
      "special_tokens": ["<t1>": ["id": "<t1>", "ids": [1], "tokens": ["<t1>"]]],
    ] as [String: Any])
  try writeJSON(
    [
      "bos_token": "<t1>", "eos_token": "<t2>", "pad_token": "<t0>", "chat_template": template,
    ], to: folder + "/tokenizer_config.json")
}

package func writeJSON(_ object: [String: Any], to path: String) throws {
  try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
}
