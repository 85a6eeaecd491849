import CSparPlugin
import SparPluginKit

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.gpm", name: "General preference model", version: "0.1.0",
  components: [
    ranker(
      id: "gpm", name: "General preference model",
      doc: "Compares answers by general preference embeddings, which can hold cycles.",
      formula:
        "raw(i, j) = Σ_l λ_l (v_2l w_2l+1 − v_2l+1 w_2l)/τ, v = W h(y_i), w = W h(y_j), "
        + "λ from the prompt",
      paper: "Zhang et al. 2024, arXiv:2410.02197",
      options: [
        Option(
          "model", .requiredText,
          "Hugging Face folder or checkpoint whose files hold value_head.weight."),
        Option("tau", .float(0.1, 1e-9...1e9), "Temperature that the score is divided by."),
        Option(
          "gate", .choice("auto", among: ["auto"] + Gate.allCases.map(\.rawValue)),
          "Weights λ of the blocks: none = 1, softmax of the prompt head, scaled = k softmax(g/√C); "
            + "auto = as the checkpoint says, else softmax where it has a prompt head."),
        Option(
          "l2", .choice("auto", among: ["auto", "on", "off"]),
          "Whether embeddings are normalised; auto = as the checkpoint says, else on."),
        Option(
          "text",
          .choice("auto", among: ["auto"] + AnswerEncoding.Treatment.allCases.map(\.rawValue)),
          "Treatment of BOS and EOS: ranking = no BOS, last token as it comes; training = special "
            + "tokens added, last token made EOS; template = as rendered; auto = as the "
            + "checkpoint says, else ranking."),
        Option(
          "max-tokens", .int(0, 0...1_000_000_000), unit: "tokens",
          "Longest prompt with answer, cut at the end; 0 = the model's limit."),
      ],
      flags: Int(SPAR_RANK_NATIVE_RAW),
      create: { host, info, out in
        construct(host, info, out) { options, host in
          var given = HeadChoices()
          if options.isGiven(1) { given.tau = options.float(1) }
          let gates: [Gate?] = [nil] + Gate.allCases
          given.gate = gates[options.choice(2)]
          given.normalises = [nil, true, false][options.choice(3)]
          let treatments: [AnswerEncoding.Treatment?] = [nil] + AnswerEncoding.Treatment.allCases
          given.treatment = treatments[options.choice(4)]
          return try GPM(
            model: TextModel(path: options.text(0), host: host), given: given,
            maxTokens: options.int(5))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
