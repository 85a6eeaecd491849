/// A SentencePiece model: pieces with scores, and how text is prepared for them.
struct SentencePieceModel {
  struct Piece: Equatable {
    var text: String
    var score: Float
    var kind = Kind.normal
  }

  /// The numbers of SentencePiece's and GGUF's files.
  enum Kind: Int {
    case normal = 1
    case unknown, control, userDefined, unused, byte

    /// Such pieces come about by merging.
    var isMerged: Bool { self == .normal || self == .unused }
  }

  /// Bytes; the trainer's own limit is a tenth of it. Keeps the search for halves short.
  static let longestPiece = 1024

  enum Algorithm: Int {
    case unigram = 1
    case bytePairs = 2
  }

  var pieces: [Piece]
  var algorithm = Algorithm.bytePairs
  var hasByteFallback = false
  var normalizer = SentencePieceNormalizer()
  var unknown: Int?
  var bos: Int?
  var eos: Int?
  var pad: Int?

  init(pieces: [Piece]) {
    self.pieces = pieces
  }

  /// The tokenizer without special tokens around the text; control pieces are special, added
  /// tokens, user-defined ones are recognised in normalized text.
  func parts(path: String) throws(TokenizerError) -> TokenizerParts {
    let tokens = pieces.map(\.text)
    let unknown = self.unknown ?? pieces.firstIndex { $0.kind == .unknown }
    guard let unknown, pieces.indices.contains(unknown) else {
      throw TokenizerError(
        .value(
          place: "the unknown piece", found: self.unknown.map { "id \($0)" } ?? "none",
          expected: "an id in 0..<\(pieces.count)"), path: path)
    }
    let table = TokenTable(tokens)
    let matched = TokenTable(pieces.map { $0.kind == .normal ? $0.text : "" })
    let model: TokenModel
    switch algorithm {
    case .unigram:
      let scores = pieces.map { Double($0.score) }
      let lowest = pieces.filter { $0.kind == .normal }.map { Double($0.score) }.min() ?? 0
      model = .unigram(
        UnigramModel(
          vocabulary: table, matched: matched, scores: scores, unknown: Int32(unknown),
          byteFallback: hasByteFallback, lowest: lowest, isSingle: true))
    case .bytePairs:
      var options = BytePairModel.Options()
      options.unknown = Int32(unknown)
      options.fusesUnknown = true
      options.byteFallback = hasByteFallback
      let merges = try self.merges(matched, path)
      model = .bytePairs(
        BytePairModel(
          vocabulary: matched, bytes: hasByteFallback ? table : nil, merges: merges,
          options: options))
    }
    var normalizer = self.normalizer
    let symbols = pieces.filter { $0.kind == .userDefined && !$0.text.isEmpty }.map(\.text)
    if !symbols.isEmpty { normalizer.symbols = TokenTrie(TokenTable(symbols)) }
    return TokenizerParts(
      tokens: tokens, vocabulary: table, added: added, normalizer: [.sentencePiece(normalizer)],
      preTokenizer: nil, model: model, decoder: decoder)
  }

  private var added: [AddedToken] {
    pieces.enumerated().compactMap { id, piece in
      guard !piece.text.isEmpty else { return nil }
      switch piece.kind {
      case .unknown, .control:
        return AddedToken(id: Int32(id), content: piece.text, special: true)
      case .userDefined:
        return AddedToken(id: Int32(id), content: piece.text, special: false, normalized: true)
      default: return nil
      }
    }
  }

  private var decoder: [DecoderStep] {
    var steps: [DecoderStep] = []
    if normalizer.escapesSpaces {
      steps.append(
        .replace(
          from: .init(finder: .literal(SentencePieceNormalizer.mark), spelling: "\u{2581}"),
          to: [0x20]))
    }
    if hasByteFallback { steps.append(.byteFallback) }
    steps.append(.fuse)
    if normalizer.addsDummyPrefix {
      let isSuffix = normalizer.dummyIsSuffix
      steps.append(.strip(content: [0x20], start: isSuffix ? 0 : 1, stop: isSuffix ? 1 : 0))
    }
    return steps
  }

  /// Every way to join two pieces to a third one. SentencePiece merges by the score of the result
  /// and goes from left to right among equals, so merges of one score share a rank.
  private func merges(_ matched: TokenTable, _ path: String) throws(TokenizerError) -> MergeTable {
    struct Way {
      var score: Float
      var left: Int32
      var right: Int32
      var id: Int32
    }
    var ways: [Way] = []
    let prefixes = TokenTrie(TokenTable(pieces.map { $0.kind.isMerged ? $0.text : "" }))
    let unused = TokenTable(pieces.map { $0.kind == .unused ? $0.text : "" })
    for id in pieces.indices where pieces[id].kind.isMerged {
      let bytes = Array(pieces[id].text.utf8)
      guard bytes.count <= Self.longestPiece else {
        throw TokenizerError(
          .value(
            place: "piece \(id)", found: "\(bytes.count) bytes long",
            expected: "at most \(Self.longestPiece)"), path: path)
      }
      var halves: [(left: Int32, right: Int32)] = []
      bytes.withUnsafeBufferPointer { all in
        prefixes.forEachToken(in: all, from: 0) { cut, left in
          guard cut < all.count else { return }
          let rest = UnsafeBufferPointer(rebasing: all[cut...])
          if let right = matched.find(rest) ?? unused.find(rest) { halves.append((left, right)) }
        }
      }
      for (left, right) in halves {
        guard pieces[id].kind == .normal else {
          throw TokenizerError(
            .unsupported(
              part: "piece \(id)", kind: "\(pieces[id].text) (unused, but reached by merging)",
              supported: ["unused pieces that no merge reaches"]), path: path)
        }
        ways.append(Way(score: pieces[id].score, left: left, right: right, id: Int32(id)))
      }
    }
    // Among equals the order counts only for export: that of the conversion in transformers.
    ways.sort { ($1.score, $0.id, $0.left, $0.right) < ($0.score, $1.id, $1.left, $1.right) }
    var merges = MergeTable(capacity: ways.count)
    var rank = -1
    for (i, way) in ways.enumerated() {
      if i == 0 || way.score != ways[i - 1].score { rank += 1 }
      merges.append(way.left, way.right, id: way.id, rank: rank)
    }
    return merges
  }
}
