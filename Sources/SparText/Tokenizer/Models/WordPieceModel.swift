/// BERT's word pieces: the longest token first, again and again; a word that cannot be covered is
/// one unknown token. Source: Hugging Face tokenizers, `WordPiece`.
struct WordPieceModel: Sendable {
  let vocabulary: TokenTable
  let unknown: Int32
  /// Spelled before every piece but the first of a word.
  let continuingPrefix: String
  /// In characters; a longer word is unknown.
  let longestWord: Int
  private let trie: TokenTrie
  private let continuation: Int32

  init(vocabulary: TokenTable, unknown: Int32, continuingPrefix: String, longestWord: Int) {
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.continuingPrefix = continuingPrefix
    self.longestWord = longestWord
    trie = TokenTrie(vocabulary)
    continuation = trie.node(of: continuingPrefix.utf8)
  }

  func encode(_ word: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    let mark = ids.count
    var characters = 0
    for byte in word where byte & 0xC0 != 0x80 { characters += 1 }
    var start = characters > longestWord ? -1 : 0
    while start >= 0, start < word.count {
      var end = -1
      var best: Int32 = unknown
      let node = start == 0 ? TokenTrie.root : continuation
      if start == 0 || continuation > 0 || continuingPrefix.isEmpty {
        trie.forEachToken(in: word, from: start, node: node) { (end, best) = ($0, $1) }
      }
      if end > 0 { ids.append(best) }
      start = end
    }
    if start < 0 {
      ids.removeSubrange(mark...)
      ids.append(unknown)
    }
  }
}
