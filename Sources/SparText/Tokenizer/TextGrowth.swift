/// How much longer a text can get on its way through a tokenizer's rules.
///
/// Rules that write more than they read multiply: five that put a thousand characters for a space
/// make more of one line than any memory holds. A file whose rules could do that is refused; those
/// of the models that there are stay below 3,000.
enum TextGrowth {
  /// Most bytes for one byte of text.
  static let limit = 1 << 14
  /// Most bytes of all added tokens together that are matched in normalized text.
  static let normalizedTokens = 1 << 24

  /// - Throws: `TokenizerError.value` naming the part whose rules pass the limit.
  static func check(_ parts: TokenizerParts, path: String) throws(TokenizerError) {
    let normalized = product(parts.normalizer.map(\.growth))
    let cut = product([normalized, parts.preTokenizer?.growth ?? 1])
    let decoded = product((parts.decoder ?? []).map(\.growth))
    for (place, growth) in [
      ("normalizer", normalized), ("pre_tokenizer", cut), ("decoder", decoded),
    ] where growth > limit {
      throw TokenizerError(
        .value(
          place: place, found: "a chain of rules that can make a text \(growth) times as long",
          expected: "at most \(limit) times"), path: path)
    }
  }

  /// Of at most 2^40, so that nothing overflows.
  static func product(_ factors: [Int]) -> Int {
    factors.reduce(1) { min($0 * min($1, 1 << 20), 1 << 40) }
  }

  /// Where every stretch of at least `read` bytes becomes `written` bytes.
  static func ratio(read: Int, written: Int) -> Int {
    max(1, (written + max(read, 1) - 1) / max(read, 1))
  }
}

extension TextFinder {
  /// Bytes of the shortest match; at least 1, since empty ones are passed over.
  var shortestMatch: Int {
    switch self {
    case .literal(let text): max(1, text.count)
    case .pattern(let pattern): max(1, pattern.shortestMatch)
    }
  }
}

extension Normalizer {
  /// Bytes that one byte can become, from above.
  fileprivate var growth: Int {
    switch self {
    // Unicode's bounds for UTF-8: 3 for the canonical forms, 11 for the compatible ones.
    case .form(let form): form == .nfc || form == .nfd ? 3 : 11
    case .lowercase: 2
    case .strip, .stripAccents, .nmt: 1
    // Decomposition, spaces around Chinese characters, lower case.
    case .bert: 12
    case .replace(let finder, let content):
      TextGrowth.ratio(read: finder.shortestMatch, written: content.count)
    case .prepend(let prefix): 1 + prefix.count
    case .characterMap(let map): max(1, map.longestReplacement)
    case .sentencePiece(let normalizer):
      // Each space of a replacement is written as a mark; and there is one dummy.
      SentencePieceNormalizer.mark.count * (1 + max(1, normalizer.map?.longestReplacement ?? 1))
    }
  }
}

extension PreTokenizer {
  fileprivate var growth: Int {
    switch self {
    case .byteLevel(let addsSpaces, _, let mapsBytes): (addsSpaces ? 2 : 1) * (mapsBytes ? 2 : 1)
    case .metaspace(let metaspace): 1 + metaspace.mark.count
    case .digits, .split, .whitespace, .whitespaceSplit, .bert, .punctuation: 1
    case .sequence(let parts): TextGrowth.product(parts.map(\.growth))
    }
  }
}

extension DecoderStep {
  fileprivate var growth: Int {
    switch self {
    case .replace(let source, let content):
      TextGrowth.ratio(read: source.finder.shortestMatch, written: content.count)
    // One space a text, which has a byte at least.
    case .wordPiece: 2
    case .byteLevel, .metaspace, .byteFallback, .fuse, .strip, .bytePairSuffix: 1
    }
  }
}
