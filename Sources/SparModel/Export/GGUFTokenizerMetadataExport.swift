import SparText

extension GGUFTokenizerMetadata {
  /// The tokenizer as metadata. A GGUF source's own are copied.
  static func fields(
    _ files: ModelFiles, rows: Int
  ) throws -> (fields: [(key: String, value: GGUFField)], notes: [String]) {
    var fields: [(key: String, value: GGUFField)] = []
    var notes: [String] = []
    if let gguf = files.weights as? GGUFLlamaSource {
      let stored = gguf.model.tokenizer
      add(
        &fields, model: stored.model ?? "(none)", pre: stored.pre, tokens: stored.tokens,
        scores: stored.scores.map { Float($0) },
        types: stored.types, merges: stored.merges)
      for (key, flag) in [
        ("add_bos_token", stored.addsBOS), ("add_eos_token", stored.addsEOS),
        ("add_space_prefix", stored.addsSpacePrefix),
      ] {
        if let flag { fields.append(("tokenizer.ggml.\(key)", .bool(flag))) }
      }
    } else {
      let made = try files.tokenizer.ggufFields(rows: rows)
      notes = made.notes
      add(
        &fields, model: made.model, pre: made.pre, tokens: made.tokens, scores: made.scores,
        types: made.types, merges: made.merges)
      fields.append(("tokenizer.ggml.add_bos_token", .bool(made.addsBOS)))
      fields.append(("tokenizer.ggml.add_eos_token", .bool(made.addsEOS)))
      if let space = made.addsSpacePrefix {
        fields.append(("tokenizer.ggml.add_space_prefix", .bool(space)))
      }
    }
    let ends = try ModelTexts.endIDs(files)
    let tokenizer = try files.tokenizer
    for (key, id) in [
      ("bos", tokenizer.bos), ("eos", tokenizer.eos ?? ends.first), ("padding", tokenizer.pad),
      ("unknown", tokenizer.unk),
      ("eot", ends.first { $0 != (tokenizer.eos ?? ends.first) }),
    ] {
      if let id { fields.append(("tokenizer.ggml.\(key)_token_id", .u32(UInt32(bitPattern: id)))) }
    }
    if let template = files.chatTemplate {
      fields.append(("tokenizer.chat_template", .string(template)))
    }
    return (fields, notes)
  }

  private static func add(
    _ fields: inout [(key: String, value: GGUFField)], model: String, pre: String?,
    tokens: [String], scores: [Float], types: [Int32], merges: [String]
  ) {
    fields.append(("tokenizer.ggml.model", .string(model)))
    if let pre { fields.append(("tokenizer.ggml.pre", .string(pre))) }
    fields.append(("tokenizer.ggml.tokens", .strings(tokens)))
    if !scores.isEmpty { fields.append(("tokenizer.ggml.scores", .f32s(scores))) }
    if !types.isEmpty { fields.append(("tokenizer.ggml.token_type", .i32s(types))) }
    if !merges.isEmpty { fields.append(("tokenizer.ggml.merges", .strings(merges))) }
  }
}
