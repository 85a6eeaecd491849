import SparText

/// Held-out prompts, to be looked for among those that are trained on.
///
/// Two checks: the same text after case and white space are folded, and a prompt that has at least half of
/// a held-out prompt's runs of five words.  Prompts of fewer than eight words get the first only.
struct PromptOverlap {
  /// Held-out rows by the folded prompt.
  private var exact: [String: RowPlace] = [:]
  private var places: [RowPlace] = []
  private var gramCounts: [Int] = []
  private var rowsOfGram: [Int: [Int32]] = [:]
  private(set) var count = 0

  private static let words = 5
  private static let fewestGrams = 4
  /// A run of words that so many held-out prompts share tells nothing.
  private static let commonGram = 64

  mutating func add(_ example: Example, place: RowPlace) {
    count += 1
    let folded = Self.folded(example)
    exact[folded.joined(separator: " ")] = place
    let grams = Self.grams(folded)
    guard grams.count >= Self.fewestGrams else { return }
    let index = Int32(places.count)
    places.append(place)
    gramCounts.append(grams.count)
    for gram in grams where rowsOfGram[gram, default: []].count < Self.commonGram {
      rowsOfGram[gram, default: []].append(index)
    }
  }

  enum Match: Equatable {
    case same(RowPlace)
    case similar(RowPlace, share: Double)
  }

  func match(_ example: Example) -> Match? {
    let folded = Self.folded(example)
    if let place = exact[folded.joined(separator: " ")] { return .same(place) }
    var hits: [Int32: Int] = [:]
    for gram in Self.grams(folded) {
      for index in rowsOfGram[gram] ?? [] { hits[index, default: 0] += 1 }
    }
    let best = hits.max { a, b in
      let (x, y) = (share(a), share(b))
      return x == y ? a.key > b.key : x < y
    }
    guard let best, share(best) >= 0.5 else { return nil }
    return .similar(places[Int(best.key)], share: share(best))
  }

  private func share(_ hit: (key: Int32, value: Int)) -> Double {
    Double(hit.value) / Double(gramCounts[Int(hit.key)])
  }

  /// The words of what is asked, small letters.
  private static func folded(_ example: Example) -> [Substring] {
    let text: String
    switch example.prompt {
    case .text(let prompt): text = prompt
    case .messages(let messages):
      text = messages.filter { $0.role != "system" }.map(\.content).joined(separator: "\n")
    case .ids(let ids): text = ids.map(String.init).joined(separator: " ")
    }
    return text.lowercased().split(whereSeparator: \.isWhitespace)
  }

  private static func grams(_ words: [Substring]) -> Set<Int> {
    guard words.count >= Self.words else { return [] }
    var grams: Set<Int> = []
    for start in 0...(words.count - Self.words) {
      var hasher = Hasher()
      for word in words[start..<(start + Self.words)] { hasher.combine(word) }
      grams.insert(hasher.finalize())
    }
    return grams
  }
}
