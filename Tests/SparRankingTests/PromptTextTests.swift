import Foundation
import RankerFixtures
import SparModel
import SparPreference
import SparRanking
import SparStore
import Testing

/// Candidates whose prompts are token ids, of a model without weights: only its tokenizer is read.
@Suite("Prompts of token ids before rankers") struct PromptTextTests {
  private let folder: Folder
  private let model: String
  private let text = "Say it."

  init() throws {
    folder = try Folder()
    model = folder.file("model")
    let golden =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().path + "/Golden/phi3"
    try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: "\(golden)/\(name)", toPath: "\(model)/\(name)")
    }
    var vocabulary = ["<pad>": 0, "<s>": 1, "</s>": 2, "Ġ": 3, "Ċ": 4]
    for byte in 33...126 as ClosedRange<UInt8> {
      vocabulary[String(UnicodeScalar(byte))] = vocabulary.count
    }
    try layTokenizer(
      in: model, added: ["<pad>", "<s>", "</s>"].map { AddedToken($0, isSpecial: true) },
      vocabulary: vocabulary)
    try writeJSON(
      ["bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"],
      to: model + "/tokenizer_config.json")
  }

  /// Two answers to one prompt, which is given as ids behind a begin token.
  private func candidates(
    _ name: String, messages: [CandidateGroup.Message] = [],
    attributes: [String: AttributeValue]
  ) throws -> String {
    let tokenizer = try #require(try ModelFiles.open(model).storedTokenizer)
    let path = folder.file(name)
    let answers = ["long enough", "no"].map { text in
      CandidateAnswer(ids: [5, 2], logps: [-1, -1], finish: .stop, text: text)
    }
    try CandidatesFile.write(
      to: path,
      CandidateTable(
        K: 2,
        rows: [
          CandidateGroup(
            promptIndex: 0, promptID: "one", messages: messages,
            promptIDs: [1] + tokenizer.encode(text), answers: answers)
        ]), attributes: attributes)
    return path
  }

  /// What a ranker is given as the conversation.
  private func seen(_ path: String, _ input: RankerInput = .raw) throws -> [[String]] {
    var conversations: [[String]] = []
    let ranker = AnswerRanker(identity: .init(id: "ear", version: "1"), givesRawScores: true) {
      queries in
      conversations += queries.map { $0.messages.map { "\($0.role): \($0.content)" } }
      return queries.map { _ in [0, 1, -1, 0] }
    }
    try RankingStage(ranker, RankingOptions(input: input)).run(
      candidates: path, output: folder.file("\(UUID().uuidString).h5"))
    return conversations
  }

  @Test("they are the user's text, and with upstream's input the rendered one")
  func decoded() throws {
    let digest = try #require(try ModelFiles.open(model).storedTokenizer).digest
    let path = try candidates(
      "c.h5", attributes: ["model": .string(model), "tokenizer_digest": .string(digest)])
    #expect(try seen(path) == [["user: Say it."]])
    #expect(try seen(path, .upstream) == [["user: <s>Say it."]])
    // Messages are not looked for in the ids.
    let given = try candidates(
      "m.h5", messages: [.init(role: "user", content: "Other.")], attributes: [:])
    #expect(try seen(given) == [["user: Other."]])
  }

  @Test("who cannot decode them says why")
  func refused() throws {
    for (attributes, reason) in [
      ([:], "does not say which model"),
      (["model": .string(model), "tokenizer_digest": "other"], "another tokenizer"),
    ] as [([String: AttributeValue], String)] {
      let path = try candidates("\(UUID().uuidString).h5", attributes: attributes)
      let error = #expect(throws: RankingError.self) { try seen(path) }
      #expect("\(try #require(error))".contains(reason))
      #expect("\(try #require(error))".contains("generate from prompt or messages"))
    }
  }
}
