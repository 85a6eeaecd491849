import SparPluginKit

/// The text that a pair-preference model reads: conversation, then both answers.
/// Source: RLHFlow's pair-preference-model-LLaMA3-8B; spaces and newlines are as trained on.
enum PairPrompt {
  static func text(_ messages: [Message], _ a: String, _ b: String) -> String {
    "[CONTEXT] \(context(messages)) [RESPONSE A] \(a) [RESPONSE B] \(b) \n"
  }

  private static func context(_ messages: [Message]) -> String {
    let turns = messages.map { message in
      "\n\n<turn> \(message.role == "assistant" ? "assistant" : "user")\n \(message.content)"
    }
    return "\n" + turns.joined() + "\n\n\n"
  }
}
