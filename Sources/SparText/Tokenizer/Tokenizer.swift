import Foundation

/// Text ⇄ token ids, exactly as Hugging Face `tokenizers` does it.
///
///     let tokenizer = try Tokenizer(tokenizerJSON: data, path: "tokenizer.json")
///     tokenizer.decode(tokenizer.encode("Hello"))        // "Hello"
///
/// Byte-level BPE (GPT-2, SmolLM2, Llama 3, Qwen 2). Encoding is linear up to the logarithm of the longest
/// word; all calls may run at the same time.
public final class Tokenizer: Sendable {
  let parts: TokenizerParts
  private let literalTokens: AddedTokenMatcher
  private let normalizedTokens: AddedTokenMatcher
  /// spelled[id] = the bytes that a token stands for.
  private let spelled: [[UInt8]]
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
    self.parts = parts
    self.special = special
    self.original = original
    self.path = path
    literalTokens = AddedTokenMatcher(parts.added.filter { !$0.normalized })
    normalizedTokens = AddedTokenMatcher(
      parts.added.filter(\.normalized).map { token in
        var token = token
        token.content = Self.normalize(token.content, parts.normalizer)
        return token
      })
    spelled = parts.tokens.map {
      parts.decoder == .byteLevel ? ByteAlphabet.decode($0) : Array($0.utf8)
    }
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
    for normalizer in normalizers {
      bytes = bytes.withUnsafeBufferPointer { normalizer.apply($0) }
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
      ids.reserveCapacity(ids.count + bytes.count / 3)
      var words = WordEncoder(parts: parts)
      for part in literalTokens.split(bytes) {
        switch part {
        case .token(let id): ids.append(id)
        case .text(let range):
          encodeText(UnsafeBufferPointer(rebasing: bytes[range]), &words, to: &ids)
        }
      }
    }
    if special { ids += parts.post.after }
    return ids
  }

  /// Text without literal added tokens: normalize, take out the other added tokens, cut, merge.
  private func encodeText(
    _ text: UnsafeBufferPointer<UInt8>, _ words: inout WordEncoder, to ids: inout [Int32]
  ) {
    guard !parts.normalizer.isEmpty || !normalizedTokens.isEmpty else {
      words.encode(text, to: &ids)
      return
    }
    var normal = Array(text)
    for normalizer in parts.normalizer {
      normal = normal.withUnsafeBufferPointer { normalizer.apply($0) }
    }
    normal.withUnsafeBufferPointer { bytes in
      for part in normalizedTokens.split(bytes) {
        switch part {
        case .token(let id): ids.append(id)
        case .text(let range):
          words.encode(UnsafeBufferPointer(rebasing: bytes[range]), to: &ids)
        }
      }
    }
  }

  // MARK: Decoding

  /// The text of `ids`; bytes that are not UTF-8 become U+FFFD, ids out of range nothing.
  ///
  /// - Parameter skipSpecial: leave out the special tokens.
  public func decode(_ ids: [Int32], skipSpecial: Bool = false) -> String {
    var bytes: [UInt8] = []
    var isFirst = true
    for id in ids where id >= 0 && Int(id) < spelled.count {
      if skipSpecial, specialIDs.contains(id) { continue }
      if parts.decoder == .spaced, !isFirst { bytes.append(0x20) }
      bytes.append(contentsOf: spelled[Int(id)])
      isFirst = false
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
