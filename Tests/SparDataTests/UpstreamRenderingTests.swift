import Foundation
import SparText
import Testing

@testable import SparData

@Suite("The published code's rendering") struct UpstreamRenderingTests {
  private static let user = ChatMessage(role: "user", content: "hi")

  @Test("the prompt ends where an assistant would say None, or where the user did")
  func none() throws {
    let rendering = UpstreamRendering(try TinyChat.chat())
    #expect(try rendering.generationText([Self.user]) == "<s><|user|>hi<|end|><|bot|>")
    let cut = ChatMessage(role: "user", content: "Choose: None, one or all?")
    #expect(try rendering.generationText([cut]) == "<s><|user|>Choose: ")
    // The sampler's tokenizer puts a second begin token in front.
    #expect(
      try rendering.generationPrompt([Self.user])
        == [256, 256, 259, 104, 105, 258, 260])
  }

  @Test("training scores the header with the answer, and has two begins and two ends")
  func training() throws {
    let (prompt, answers) = try UpstreamRendering(TinyChat.chat()).training(
      [Self.user], answers: ["yes", "no"])
    #expect(prompt == [256, 256, 259, 104, 105, 258])
    #expect(answers == [[260, 121, 101, 115, 258, 258], [260, 110, 111, 258, 258]])
  }

  @Test("tokens that merge at the seam move the boundary; prompts that differ are refused")
  func seam() throws {
    let rendering = UpstreamRendering(try TinyChat.chat())
    let (prompt, answers) = try rendering.training(text: "a:", answers: [" b", " c"])
    #expect(prompt == [256, 97])
    #expect(answers == [[261, 98, 258], [261, 99, 258]])
    #expect(throws: UpstreamRendering.Problem.self) {
      try rendering.training(text: "a:", answers: [" b", "c"])
    }
  }

  @Test("the case of the published numbers: 101 + (950, 300) in 1024/512")
  func truncation() {
    var prompt = [Int32](0..<101)
    var answers = [[Int32](0..<950), [Int32](0..<300)]
    UpstreamTruncation.apply(
      prompt: &prompt, answers: &answers, maxLength: 1024, maxPromptLength: 512, keepsEnd: true)
    #expect(prompt.count == 101 && answers.map(\.count) == [512, 300])
    prompt = Array(0..<700)
    answers = [Array(0..<400), Array(0..<10)]
    UpstreamTruncation.apply(
      prompt: &prompt, answers: &answers, maxLength: 1024, maxPromptLength: 512, keepsEnd: true)
    #expect(prompt == Array(188..<700) && answers.map(\.count) == [400, 10])
    UpstreamTruncation.apply(
      prompt: &prompt, answers: &answers, maxLength: 600, maxPromptLength: 300, keepsEnd: false)
    #expect(prompt == Array(188..<488) && answers.map(\.count) == [300, 10])
  }

  /// The folder of golden values, where there is one.
  private static let templates: URL? = {
    let named = ProcessInfo.processInfo.environment["SPAR_SHARED"].map { URL(fileURLWithPath: $0) }
    let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared")
    let folder = (named ?? beside).appendingPathComponent("golden/text/templates")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  @Test(
    "real templates: what the prompt and the answer become",
    .enabled(if: templates != nil, "no folder with shared/golden; set SPAR_SHARED to it"),
    arguments: [
      // Name, prompt of generation, answer as the trainer cuts it.
      (
        "mistralai-Mistral-Nemo-Instruct-2407", "<s>[INST]hi[/INST]", "<s>[INST]hi[/INST]",
        "yes<|end|>"
      ),
      (
        "google-gemma-2-2b-it",
        "<s><start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n",
        "<s><start_of_turn>user\nhi<end_of_turn>\n",
        "<start_of_turn>model\nyes<end_of_turn>\n"
      ),
      (
        "meta-llama-Llama-3.1-8B-Instruct",
        "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>"
          + "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\nyes<|eot_id|>"
      ),
    ])
  func real(name: String, generation: String, training: String, answer: String) throws {
    let folder = try #require(Self.templates)
    let source = try String(
      contentsOf: folder.appendingPathComponent(name + ".jinja"), encoding: .utf8)
    let chat = try TinyChat.chat(source)
    let rendering = UpstreamRendering(chat)
    #expect(try rendering.generationText([Self.user]).hasSuffix(generation))
    let prompt = try #require(try chat.render([Self.user], addGenerationPrompt: false))
    #expect(prompt.hasSuffix(training))
    let text = try rendering.answerText([Self.user], answer: "yes")
    #expect(text == answer, "\(text)")
    let asks = ChatMessage(role: "user", content: "Is None a word?")
    #expect(try rendering.generationText([asks]).hasSuffix("Is "))
  }
}
