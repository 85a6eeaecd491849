/// The most probable cut of a word into pieces with a log-probability each (Viterbi).
///
/// Source: Kudo 2018, arXiv:1804.10959; order of comparisons as in SentencePiece's optimized
/// encoder, which Hugging Face follows. Cost O(n × longest piece).
struct UnigramModel: Sendable {
  let vocabulary: TokenTable
  /// scores[id] in nats.
  let scores: [Double]
  let unknown: Int32
  private let trie: TokenTrie
  private let unknownScore: Double
  /// Ids of the byte tokens; empty without byte fallback.
  private let fallbackIDs: [Int32]
  /// Sums are rounded to 32 bits, as SentencePiece does; Hugging Face keeps 64.
  let isSingle: Bool

  /// Worse than the worst piece by this much (nats).
  static let unknownPenalty = 10.0

  /// `matched` are the pieces that may be found in text; usually `vocabulary` itself.
  init(
    vocabulary: TokenTable, matched: TokenTable? = nil, scores: [Double], unknown: Int32,
    byteFallback: Bool, lowest: Double? = nil, isSingle: Bool = false
  ) {
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = unknown
    self.isSingle = isSingle
    trie = TokenTrie(matched ?? vocabulary)
    let lowest = lowest ?? scores.min() ?? 0
    unknownScore =
      isSingle ? Double(Float(lowest) - Float(Self.unknownPenalty)) : lowest - Self.unknownPenalty
    fallbackIDs = byteFallback ? ByteTokens.ids(in: vocabulary) : []
  }

  var hasByteFallback: Bool { !fallbackIDs.isEmpty }

  /// Appends the ids of `word` to `ids`.
  func encode(
    _ word: UnsafeBufferPointer<UInt8>, scratch: inout LatticeScratch, to ids: inout [Int32]
  ) {
    let count = word.count
    scratch.reset(count + 1)
    scratch.nodes.withUnsafeMutableBufferPointer { nodes in
      fill(word, nodes)
      // Backwards along the best path; the order is turned round as the ids are written.
      scratch.path.removeAll(keepingCapacity: true)
      var end = count
      while end > 0 {
        scratch.path.append(end)
        end = Int(nodes[end].start)
      }
      var start = 0
      var i = scratch.path.count - 1
      while i >= 0 {
        var end = scratch.path[i]
        if nodes[end].id != unknown {
          ids.append(nodes[end].id)
        } else {
          while i > 0, nodes[scratch.path[i - 1]].id == unknown {
            i -= 1
            end = scratch.path[i]
          }
          spell(UnsafeBufferPointer(rebasing: word[start..<end]), to: &ids)
        }
        start = end
        i -= 1
      }
    }
  }

  /// nodes[e] = the best way to the cut at byte e.
  private func fill(
    _ word: UnsafeBufferPointer<UInt8>, _ nodes: UnsafeMutableBufferPointer<LatticeScratch.Node>
  ) {
    func offer(_ end: Int, _ id: Int32, _ score: Double, _ start: Int) {
      if nodes[end].start < 0 || score > nodes[end].score {
        nodes[end] = LatticeScratch.Node(score: score, start: Int32(start), id: id)
      }
    }
    scores.withUnsafeBufferPointer { scores in
      var start = 0
      while start < word.count {
        let base = nodes[start].score
        let width = min(TextScan.width(word[start]), word.count - start)
        var hasSingle = false
        trie.forEachToken(in: word, from: start) { end, id in
          offer(end, id, sum(scores[Int(id)], base), start)
          if end - start == width { hasSingle = true }
        }
        if !hasSingle { offer(start + width, unknown, sum(unknownScore, base), start) }
        start += width
      }
    }
  }

  @inline(__always)
  private func sum(_ a: Double, _ b: Double) -> Double {
    isSingle ? Double(Float(a) + Float(b)) : a + b
  }

  /// A run without pieces: a token after all, its bytes, or `unknown`.
  private func spell(_ text: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    if !isSingle, let id = vocabulary.find(text) {
      ids.append(id)
    } else if !fallbackIDs.isEmpty, text.allSatisfy({ fallbackIDs[Int($0)] >= 0 }) {
      for byte in text { ids.append(fallbackIDs[Int(byte)]) }
    } else {
      ids.append(unknown)
    }
  }
}

/// Arrays that Viterbi reuses from word to word.
struct LatticeScratch {
  struct Node {
    var score = 0.0
    /// Where the best piece that ends here begins; -1 while none is known.
    var start: Int32 = -1
    var id: Int32 = 0
  }
  var nodes: [Node] = []
  var path: [Int] = []

  mutating func reset(_ count: Int) {
    nodes.removeAll(keepingCapacity: true)
    nodes.append(contentsOf: repeatElement(Node(), count: count))
  }
}
