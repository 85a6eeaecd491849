import SparTensor
import SparText
import Testing

@testable import SparRankerTraining

@Suite("Bootstrapped comparisons") struct BootstrapTests {
  static let sentences = [
    "The cat sat on the warm mat. It slept for hours and dreamt of mice.",
    "First wash the rice well. Then boil it in water, and let it rest before you serve it.",
    "Rivers carry water from the hills to the sea. They shape the land on their way.",
    "A poem need not rhyme. It should make the reader see something new!",
    "Plants turn light into sugar. Animals eat the plants, and so the light moves on.",
    "Save a little every month. After some years it will be more than you thought.",
  ]

  static func answered(
    _ answers: [String] = sentences, derailed: String? = "hop yellow the of of seven Bach"
  ) -> [BootstrapComparisons.Answered] {
    answers.enumerated().map { place, answer in
      .init(
        id: "p\(place)", index: place,
        prompt: [ChatMessage(role: "user", content: "question \(place)")], answer: answer,
        isEnded: true, repetition: 0, derailed: derailed)
    }
  }

  static func options(
    _ kinds: [Corruption] = Corruption.allCases, heldout: Double = 0, seed: UInt64 = 1
  ) -> BootstrapOptions {
    var options = BootstrapOptions()
    options.kinds = kinds
    options.heldoutShare = heldout
    options.seed = seed
    return options
  }

  func rejected(_ kind: Corruption, seed: UInt64 = 1) -> [(chosen: String, rejected: String)] {
    BootstrapComparisons(Self.answered(), Self.options([kind], seed: seed)).rows.map {
      ($0.chosen, $0.rejected)
    }
  }

  func words(_ text: String) -> [String] {
    text.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  @Test("the same seed gives the same rows, another seed others")
  func deterministic() {
    let (answered, options) = (Self.answered(), Self.options(heldout: 0.34))
    let first = BootstrapComparisons(answered, options)
    #expect(first == BootstrapComparisons(answered, options))
    #expect(first.rows.count == 6 * Corruption.allCases.count)
    #expect(first.rows != BootstrapComparisons(answered, Self.options(seed: 2)).rows)
  }

  @Test("leaving a kind out changes no row of the others")
  func independentKinds() {
    let all = BootstrapComparisons(Self.answered(), Self.options()).rows
    let some = BootstrapComparisons(Self.answered(), Self.options([.cut, .repeated])).rows
    #expect(some == all.filter { [.cut, .repeated].contains($0.kind) })
  }

  @Test("another prompt's answer: every right answer is the wrong one once", arguments: 1...20)
  func otherPrompt(seed: UInt64) {
    let rows = rejected(.otherPrompt, seed: seed)
    #expect(rows.allSatisfy { $0.chosen != $0.rejected })
    #expect(rows.map(\.rejected).sorted() == Self.sentences.sorted())
  }

  @Test("a cut answer is the beginning of the right one and no whole sentence", arguments: 1...20)
  func cut(seed: UInt64) {
    let rows = rejected(.cut, seed: seed)
    #expect(rows.count == Self.sentences.count)
    for (chosen, rejected) in rows {
      #expect(chosen.hasPrefix(rejected) && rejected.count < chosen.count)
      #expect(rejected.last?.isLetter == true, "\(rejected)")
      #expect(words(rejected).count >= 2)
    }
  }

  @Test("a shuffled answer has the same words, white space and length", arguments: 1...20)
  func shuffled(seed: UInt64) {
    for (chosen, rejected) in rejected(.shuffled, seed: seed) {
      #expect(words(rejected).sorted() == words(chosen).sorted() && rejected != chosen)
      #expect(rejected.count == chosen.count)
    }
  }

  @Test("a repeating answer begins well, loops, and is not shorter", arguments: 1...20)
  func repeated(seed: UInt64) {
    let rows = rejected(.repeated, seed: seed)
    #expect(rows.count == Self.sentences.count)
    for (chosen, rejected) in rows {
      let (right, wrong) = (words(chosen), words(rejected))
      #expect(wrong.prefix(2) == right.prefix(2))
      #expect(wrong.count >= right.count && wrong.count <= right.count * 3 / 2 + 5)
      // Its end is a run of 2 to 5 words twice.
      let loops = (2...5).contains { span in
        wrong.count >= 2 * span && wrong.suffix(span) == wrong.dropLast(span).suffix(span)
      }
      #expect(loops, "\(rejected)")
    }
  }

  @Test("a derailed answer is the model's own, as far as it has whole sentences")
  func derailed() {
    let text = "Yellow seven of. Bach the the of"
    let rows = BootstrapComparisons(
      Self.answered(derailed: text), Self.options([.derailed])
    ).rows
    #expect(rows.allSatisfy { $0.rejected == "Yellow seven of." })
    let without = BootstrapComparisons(Self.answered(derailed: nil), Self.options([.derailed]))
    #expect(without.rows.isEmpty && without.skipped.values.reduce(0, +) == 6)
  }

  @Test("prompts held out are the last, and their answers go to no other part")
  func heldout() {
    let rows = BootstrapComparisons(Self.answered(), Self.options(heldout: 0.5)).rows
    for row in rows {
      #expect(row.isHeldOut == ["p3", "p4", "p5"].contains(row.id))
      guard row.kind == .otherPrompt else { continue }
      let place = Self.sentences.firstIndex(of: row.rejected) ?? -1
      #expect(row.isHeldOut == (place >= 3))
    }
  }

  @Test("an answer that was cut off loses its last, broken sentence; loops are left out")
  func right() {
    var answered = Self.answered(Array(Self.sentences.prefix(3)))
    answered[0].answer = "The cat sat on the mat. It slept for"
    answered[0].isEnded = false
    answered[1].isEnded = false
    answered[1].answer = "no sentence ever comes to an end"
    answered[2].repetition = 0.9
    let found = BootstrapComparisons(answered, Self.options([.cut]))
    #expect(found.rows.map(\.chosen) == ["The cat sat on the mat."])
    #expect(found.skipped.values.reduce(0, +) == 2)
  }

  @Test(
    "ends of sentences",
    arguments: [
      ("One. Two", "One."), ("Costs 3.50 now", nil), ("1. Eat well", nil),
      ("He said \"No.\" Then", "He said \"No.\""), ("今日は。明日", "今日は。"), ("Why? Because", "Why?"),
      ("", nil),
    ] as [(String, String?)])
  func sentences(text: String, whole: String?) {
    #expect(text.wholeSentences == whole)
  }

  @Test("a text without spaces is spoiled by its characters")
  func characters() {
    var random = Random(seed: 1, stage: .corrupt)
    let text = "今日はとても良い天気ですから公園へ行きましょう。"
    let shuffled = Corruption.shuffled.spoil(text, &random)
    #expect(shuffled?.sorted() == text.sorted() && shuffled != text)
    #expect(Corruption.cut.spoil("so short", &random) == nil)
  }

  @Test("settings that make no sense are named")
  func void() {
    let changes: [(inout BootstrapOptions) -> Void] = [
      { $0.kinds = [] }, { $0.kinds = [.cut, .cut] }, { $0.heldoutShare = 1 },
      { $0.maxNewTokens = 0 }, { $0.derailTemperature = 0 }, { $0.temperature = -1 },
    ]
    for change in changes {
      var options = BootstrapOptions()
      change(&options)
      #expect(throws: RankerTrainingError.self) { try options.validate() }
    }
  }
}
