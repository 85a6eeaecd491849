import Foundation

/// A tokenizer as the metadata of a GGUF file spell it (`tokenizer.ggml.*`), made from its
/// tokenizer.json.
///
/// Byte-level BPE becomes the model `gpt2` with its merges and the name of its pre-tokenizer. BPE
/// with byte fallback, which is what Hugging Face makes of SentencePiece's BPE, becomes the model
/// `llama`: there the pair whose union has the highest score is merged first, so a token's score is
/// the rank of its first merge, negated.
public struct GGUFTokenizerFields: Equatable, Sendable {
  public var model: String
  /// Of byte-level BPE.
  public var pre: String?
  public var tokens: [String] = []
  /// 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
  public var types: [Int32] = []
  /// Of the model `llama`.
  public var scores: [Float] = []
  /// "left right" in the order of rank, of byte-level BPE.
  public var merges: [String] = []
  public var addsBOS = false
  public var addsEOS = false
  public var addsSpacePrefix: Bool?
  /// What readers of GGUF do differently.
  public var notes: [String] = []
}

extension Tokenizer {
  /// - Parameter rows: of the embedding; ids beyond the vocabulary become unused tokens.
  /// - Throws: `TokenizerError` for a tokenizer that GGUF has no name for.
  public func ggufFields(rows: Int) throws -> GGUFTokenizerFields {
    let data = try tokenizerJSON()
    let root: JSONNode
    do throws(JSONSyntaxError) {
      root = try JSONParser.parse(data)
    } catch {
      throw TokenizerError(.json(what: error.what, offset: error.offset), path: path)
    }
    guard let model = root["model"], let vocabulary = model["vocab"]?.members,
      model["type"]?.string ?? "BPE" == "BPE"
    else {
      throw TokenizerError(
        .unsupported(
          part: "model.type (for GGUF)", kind: root["model"]?["type"]?.string ?? "(none)",
          supported: ["BPE"]), path: path)
    }
    let merges = (model["merges"]?.array ?? []).map { node in
      node.string ?? (node.array ?? []).compactMap(\.string).joined(separator: " ")
    }
    var fields =
      try GGUFPreTokenizer.isByteLevel(root)
      ? byteLevel(root, merges) : sentencePiece(root, merges)
    fields.fill(vocabulary: vocabulary, added: root["added_tokens"]?.array ?? [], rows: rows)
    guard fields.tokens.count <= rows else {
      throw TokenizerError(
        .value(
          place: "the vocabulary", found: "\(fields.tokens.count) ids",
          expected: "at most \(rows), the rows of the embedding"), path: path)
    }
    if fields.model == "llama" {
      fields.score(merges, unknown: model["unk_token"]?.string)
    }
    let (plain, framed) = (encode("a"), encode("a", special: true))
    fields.addsBOS = bos != nil && framed.first == bos && plain.first != bos
    fields.addsEOS = eos != nil && framed.last == eos && plain.last != eos
    return fields
  }

  private func byteLevel(_ root: JSONNode, _ merges: [String]) throws -> GGUFTokenizerFields {
    let patterns = GGUFPreTokenizer.patterns(root["pre_tokenizer"] ?? .null)
    guard let name = patterns.flatMap(GGUFPreTokenizer.name) else {
      throw TokenizerError(
        .unsupported(
          part: "pre_tokenizer (for GGUF)",
          kind: patterns?.joined(separator: " then ") ?? root["pre_tokenizer"]?.kind ?? "none",
          supported: GGUFPreTokenizer.names), path: path)
    }
    var fields = GGUFTokenizerFields(model: "gpt2", pre: name)
    fields.merges = merges
    let ignores = root["model"]?["ignore_merges"]?.boolean ?? false
    if ignores != GGUFPreTokenizer.ignoresMerges(name) {
      fields.notes.append(
        "the tokenizer has ignore_merges \(ignores), readers of GGUF take "
          + "\(!ignores) for \(name)")
    }
    return fields
  }

  private func sentencePiece(_ root: JSONNode, _ merges: [String]) throws -> GGUFTokenizerFields {
    guard root["model"]?["byte_fallback"]?.boolean == true else {
      throw TokenizerError(
        .unsupported(
          part: "model (for GGUF)", kind: "BPE without bytes",
          supported: ["byte-level BPE", "BPE with byte_fallback"]), path: path)
    }
    var fields = GGUFTokenizerFields(model: "llama")
    fields.pre = "default"
    fields.addsSpacePrefix = GGUFPreTokenizer.addsSpace(root)
    return fields
  }
}

extension GGUFTokenizerFields {
  /// Tokens and types by id.
  fileprivate mutating func fill(vocabulary: [JSONMember], added: [JSONNode], rows: Int) {
    let largest = max(
      vocabulary.reduce(-1) { max($0, $1.value.integer ?? -1) },
      added.reduce(-1) { max($0, $1["id"]?.integer ?? -1) })
    let count = max(rows, min(largest, rows + 1_000_000) + 1)
    tokens = (0..<count).map { "[PAD\($0)]" }
    types = [Int32](repeating: 5, count: count)
    for member in vocabulary {
      guard let id = member.value.integer, tokens.indices.contains(id) else { continue }
      tokens[id] = member.key
      types[id] = model == "llama" && Self.isByte(member.key) ? 6 : 1
    }
    for node in added {
      guard let id = node["id"]?.integer, tokens.indices.contains(id),
        let content = node["content"]?.string
      else { continue }
      tokens[id] = content
      types[id] = node["special"]?.boolean == true ? 3 : 4
    }
  }

  /// "<0x0A>"
  private static func isByte(_ token: String) -> Bool {
    token.utf8.count == 6 && token.hasPrefix("<0x") && token.hasSuffix(">")
  }

  /// Scores from the ranks of merges. Pieces that no merge makes are single characters, whose
  /// scores decide nothing.
  fileprivate mutating func score(_ merges: [String], unknown: String?) {
    var ranks: [[UInt8]: Int] = [:]
    for (rank, merge) in merges.enumerated() {
      let whole = merge.utf8.filter { $0 != 0x20 }
      if ranks[whole] == nil { ranks[whole] = rank }
    }
    scores = tokens.indices.map { id in
      guard types[id] == 1 else { return 0 }
      return -Float(ranks[Array(tokens[id].utf8)] ?? merges.count)
    }
    if let unknown, let id = tokens.firstIndex(where: { $0.utf8.elementsEqual(unknown.utf8) }) {
      types[id] = 2
    }
  }
}
