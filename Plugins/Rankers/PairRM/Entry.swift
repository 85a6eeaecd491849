import CSparPlugin
import SparPluginKit

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.pairrm", name: "PairRM", version: "0.1.0",
  components: [
    ranker(
      id: "pairrm", name: "PairRM",
      doc: "A cross-encoder (DeBERTa) that reads the prompt with two answers, in both orders.",
      formula:
        "raw(i, j) = f([h_source; h_1]) − f([h_source; h_2]), f(u) = W2 tanh(W1 u + b1) + b2, "
        + "y_i first, y_j second",
      paper: "Jiang et al. 2023, arXiv:2306.02561",
      options: [
        Option(
          "model", .requiredText,
          "Folder with the encoder, its head and tokenizer.json: llm-blender/PairRM or one like it."
        ),
        Option(
          "source-max-length", .int(1224, 3...1_000_000), unit: "tokens",
          "Longest prompt; the rest of it is cut off."),
        Option(
          "candidate-max-length", .int(412, 3...1_000_000), unit: "tokens",
          "Longest answer beside a prompt of full length; half of what a prompt leaves is added."),
      ],
      flags: Int(SPAR_RANK_NATIVE_RAW),
      create: { host, info, out in
        construct(host, info, out) { options, host in
          return try PairRM(
            model: TextModel(path: options.text(0), host: host), sourceMaxLength: options.int(1),
            candidateMaxLength: options.int(2))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
