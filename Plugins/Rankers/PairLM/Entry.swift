import CSparPlugin
import SparPluginKit

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.pair-lm", name: "Pair-preference language model", version: "0.1.0",
  components: [
    ranker(
      id: "pair-lm", name: "Pair-preference language model",
      doc: "Asks a language model that was trained on pairs which of two answers is better.",
      formula: "raw(i, j) = logit(\"A\") − logit(\"B\"), y_i shown as A and y_j as B",
      paper: "Dong et al. 2024, arXiv:2405.07863",
      options: [
        Option(
          "model", .requiredText,
          "Hugging Face folder, GGUF file, checkpoint or known name of the model that is asked."),
        Option("label-a", .text("A"), "Token that says the first answer is better."),
        Option("label-b", .text("B"), "Token that says the second answer is better."),
        Option(
          "generation-prompt", .bool(true),
          "End the text with the header of the assistant's turn, after which the label comes."),
        Option(
          "max-tokens", .int(0, 0...1_000_000_000), unit: "tokens",
          "Longest text of a pair; the longer answer is cut at its end; 0 = the model's limit."),
      ],
      flags: Int(SPAR_RANK_NATIVE_RAW),
      create: { host, info, out in
        construct(host, info, out) { options, host in
          try PairLM(
            model: TextModel(path: options.text(0), host: host),
            labels: [options.text(1), options.text(2)], asksForAnswer: options.bool(3),
            maxTokens: options.int(4))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
