import CSparPlugin
import SparPluginKit

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.likelihood", name: "Likelihood", version: "0.1.0",
  components: [
    ranker(
      id: "likelihood", name: "Likelihood",
      doc: "Prefers the answer that the prompt makes more likely under a language model.",
      formula:
        "raw(i, j) = (s_i − s_j)/scale, s = (log p(y | x) − w log p(y | no prompt)) / |y|^γ, "
        + "w = unconditional-weight, γ = length-normalisation",
      options: [
        Option(
          "model", .text("smollm2-135m"),
          "Hugging Face folder, GGUF file, checkpoint or known name of the model that scores."),
        Option(
          "scale", .float(0.1, 1e-6...1e6), unit: "nats",
          "Difference in score that makes log-odds of 1."),
        Option(
          "unconditional-weight", .float(1, 0...10),
          "Weight of the answer's likelihood after an empty prompt, which is subtracted."),
        Option(
          "length-normalisation", .float(1, 0...1),
          "Power of the answer's tokens to divide by: 1 = mean, 0 = sum; between favours neither "
            + "short nor long."),
      ],
      flags: Int(
        SPAR_RANK_NATIVE_RAW | SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR),
      create: { host, info, out in
        construct(host, info, out) { options, host in
          Likelihood(
            model: try LanguageModel(path: options.text(0), host: host), scale: options.float(1),
            unconditionalWeight: options.float(2),
            lengthExponent: options.float(3))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
