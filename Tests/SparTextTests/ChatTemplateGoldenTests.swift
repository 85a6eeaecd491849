import Foundation
import Testing

@testable import SparText

@Suite(
  "Chat templates against transformers",
  .enabled(if: SharedFiles.isPresent, SharedFiles.absence))
struct ChatTemplateGoldenTests {
  static let names = [
    "HuggingFaceTB-SmolLM3-3B", "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
    "Qwen-Qwen2.5-7B-Instruct", "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "google-gemma-2-2b-it",
    "meta-llama-Llama-3.1-8B-Instruct", "microsoft-Phi-3.5-mini-instruct",
    "mistralai-Mistral-Nemo-Instruct-2407", "smollm2",
  ]

  static let variables: [String: JinjaValue] = [
    "bos_token": .string("<BOS>"), "eos_token": .string("<EOS>"), "pad_token": .string("<PAD>"),
    "unk_token": .string("<UNK>"), "date_string": .string("26 Jul 2024"),
  ]

  @Test("renders and refuses as jinja2 does", arguments: names)
  func golden(name: String) throws {
    let folder = "golden/text/templates/"
    let source = String(decoding: try SharedFiles.data(folder + name + ".jinja"), as: UTF8.self)
    let template = try ChatTemplate(source: source, name: name)
    let rows = try #require(try SharedFiles.json(folder + name + ".json").array)
    #expect(rows.count == 10)
    for row in rows {
      let given = try #require(row["messages"])
      let messages = try #require(given.array).map { message in
        ChatMessage(
          role: try #require(message["role"]?.string),
          content: try #require(message["content"]?.string))
      }
      let addPrompt = try #require(row["add_generation_prompt"]?.boolean as Bool?)
      let title: Comment = "\(row["conversation"]?.string ?? "?") \(addPrompt)"
      if let expected = row["rendered"]?.string {
        let text = try template.render(
          messages, addGenerationPrompt: addPrompt, variables: Self.variables)
        #expect(Array(text.utf8) == Array(expected.utf8), title)
        let general = try template.render(
          JinjaValue(node: given), addGenerationPrompt: addPrompt, variables: Self.variables)
        #expect(general == text, title)
      } else {
        let error = #expect(throws: JinjaError.self, title) {
          try template.render(
            messages, addGenerationPrompt: addPrompt, variables: Self.variables)
        }
        #expect(error?.what == row["error"]?.string, title)
        #expect((error?.line ?? 0) > 0)
      }
    }
  }
}
