import Foundation

/// Text ⇄ token ids, exactly as Hugging Face `tokenizers` does it.
///
///     let tokenizer = try Tokenizer(tokenizerJSON: data, path: "tokenizer.json")
///     tokenizer.decode(tokenizer.encode("Hello"))        // "Hello"
///
/// Models: BPE (byte-level or with byte fallback), Unigram, WordPiece, WordLevel. Encoding is linear
/// up to the logarithm of the longest word; all calls may run at the same time.
public final class Tokenizer: Sendable {
  let parts: TokenizerParts
  private let literalTokens: AddedTokenMatcher
  private let normalizedTokens: AddedTokenMatcher
  /// Tokens that are matched in normalized text decode to what is matched.
  private let decodedAs: [Int32: [UInt8]]
  private let encoders = EncoderPool()
  let special: SpecialTokens
  /// The file this was read from, byte for byte; nil when it came from GGUF.
  let original: Data?
  let path: String

  /// Ids that `decode(skipSpecial: true)` leaves out.
  public let specialIDs: Set<Int32>
  public let bos: Int32?
  public let eos: Int32?
  public let pad: Int32?
  public let unk: Int32?
  /// 32 hexadecimal digits that change with the vocabulary, the merges or the added tokens; equal
  /// for the same tokenizer read from tokenizer.json and from GGUF.
  public let digest: String

  /// Reads a Hugging Face tokenizer.json.
  ///
  /// - Parameters:
  ///   - path: for messages only.
  ///   - config: names the tokens with a role; a name that the vocabulary lacks is an error.
  /// - Throws: `TokenizerError`.
  public convenience init(
    tokenizerJSON data: Data, path: String, config: TokenizerConfig? = nil
  ) throws {
    var reader = TokenizerReader(path: path)
    let parts = try reader.read(data)
    let special = SpecialTokens(
      bos: config?.bosToken, eos: config?.eosToken, pad: config?.padToken,
      unk: config?.unkToken ?? reader.unknownToken)
    try self.init(parts: parts, special: special, original: data, path: path)
  }

  init(
    parts: TokenizerParts, special: SpecialTokens, original: Data?, path: String
  ) throws(TokenizerError) {
    try TextGrowth.check(parts, path: path)
    self.parts = parts
    self.special = special
    self.original = original
    self.path = path
    let ordered = parts.added.filter(\.special) + parts.added.filter { !$0.special }
    literalTokens = AddedTokenMatcher(ordered.filter { !$0.normalized })
    var normalized = ordered.filter(\.normalized)
    var bytes = 0
    for i in normalized.indices {
      normalized[i].content = Self.normalize(normalized[i].content, parts.normalizer)
      bytes += normalized[i].content.utf8.count
      guard bytes <= TextGrowth.normalizedTokens else {
        throw TokenizerError(
          .value(
            place: "added_tokens", found: "more than \(bytes) bytes after normalization",
            expected: "at most \(TextGrowth.normalizedTokens)"), path: path)
      }
    }
    normalizedTokens = AddedTokenMatcher(normalized)
    decodedAs = Dictionary(
      normalized.map { ($0.id, Array($0.content.utf8)) }, uniquingKeysWith: { first, _ in first })
    specialIDs = Set(parts.added.filter(\.special).map(\.id))
    func id(_ role: String, _ token: String?) throws(TokenizerError) -> Int32? {
      guard let token else { return nil }
      guard let id = parts.vocabulary.find(token) else {
        throw TokenizerError(.unknownToken(token: token, place: role), path: path)
      }
      return id
    }
    bos = try id("bos_token", special.bos)
    eos = try id("eos_token", special.eos)
    pad = try id("pad_token", special.pad)
    unk = try id("unk_token", special.unk)
    digest = Digest.of(parts)
  }

  public var bosToken: String? { special.bos }
  public var eosToken: String? { special.eos }
  public var padToken: String? { special.pad }
  public var unkToken: String? { special.unk }

  /// One more than the largest id.
  public var vocabularySize: Int { parts.tokens.count }

  /// The id of a token as the vocabulary spells it ("Ġthe", not " the").
  public func id(of token: String) -> Int32? { parts.vocabulary.find(token) }

  /// The token as the vocabulary spells it; nil for an id that is not used.
  public func token(_ id: Int32) -> String? { parts.vocabulary.text(id) }

  private static func normalize(_ text: String, _ normalizers: [Normalizer]) -> String {
    var bytes = Array(text.utf8)
    let scratch = MatchScratch()
    for normalizer in normalizers {
      // User-defined pieces of SentencePiece are matched as they are spelled.
      if case .sentencePiece = normalizer { continue }
      normalizer.apply(to: &bytes, startsText: true, scratch: scratch)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: Encoding

  /// The ids of `text`. Added tokens are recognised wherever they occur in it.
  ///
  /// - Parameter special: put the tokens of the post-processor (BOS, EOS) around.
  public func encode(_ text: String, special: Bool = false) -> [Int32] {
    var text = text
    var ids: [Int32] = special ? parts.post.before : []
    text.withUTF8 { bytes in
      ids.reserveCapacity(ids.count + bytes.count / 3 + 4)
      encoders.withEncoder { encoder in
        for part in literalTokens.split(bytes) {
          switch part {
          case .token(let id): ids.append(id)
          case .text(let range):
            encodeText(Array(bytes[range]), startsText: range.lowerBound == 0, &encoder, to: &ids)
          }
        }
      }
    }
    if special { ids += parts.post.after }
    return ids
  }

  /// Text without literal added tokens: normalize, take out the other added tokens, cut, encode.
  private func encodeText(
    _ text: [UInt8], startsText: Bool, _ encoder: inout WordEncoder, to ids: inout [Int32]
  ) {
    var text = text
    for normalizer in parts.normalizer {
      normalizer.apply(to: &text, startsText: startsText, scratch: encoder.matches)
    }
    if normalizedTokens.isEmpty {
      var list = PieceList(text, startsText: startsText)
      encoder.encode(&list, parts, to: &ids)
      return
    }
    for part in text.withUnsafeBufferPointer({ normalizedTokens.split($0) }) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        var list = PieceList(
          Array(text[range]), startsText: startsText && range.lowerBound == 0)
        encoder.encode(&list, parts, to: &ids)
      }
    }
  }

  // MARK: Decoding

  /// The text of `ids`; bytes that are not UTF-8 become U+FFFD, ids out of range nothing.
  ///
  /// - Parameter skipSpecial: leave out the special tokens.
  public func decode(_ ids: [Int32], skipSpecial: Bool = false) -> String {
    var texts: [[UInt8]] = []
    texts.reserveCapacity(ids.count)
    for id in ids where id >= 0 && Int(id) < parts.vocabulary.count {
      if skipSpecial, specialIDs.contains(id) { continue }
      let token = decodedAs[id] ?? Array(parts.vocabulary.bytes(id))
      if !token.isEmpty { texts.append(token) }
    }
    guard let decoder = parts.decoder else {
      return String(decoding: Array(texts.joined(separator: [0x20])), as: UTF8.self)
    }
    let scratch = MatchScratch()
    for step in decoder { step.apply(to: &texts, scratch: scratch) }
    return String(decoding: Array(texts.joined()), as: UTF8.self)
  }
}
