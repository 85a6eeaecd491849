import CSparPlugin
import SparPluginKit

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.bradley-terry", name: "Bradley-Terry", version: "0.1.0",
  components: [
    ranker(
      id: "bradley-terry", name: "Bradley-Terry",
      doc: "Compares answers by the scalar reward of a reward model.",
      formula: "raw(i, j) = (r_i − r_j)/scale, r = w·h at the last token",
      paper: "Bradley and Terry 1952, Biometrika 39",
      options: [
        Option(
          "model", .requiredText,
          "Hugging Face folder or checkpoint with value_head.weight or score.weight of one row."),
        Option(
          "scale", .float(1, 1e-9...1e9),
          "Difference in reward that makes log-odds of 1; where the checkpoint says its tau, that."),
        Option(
          "text",
          .choice("auto", among: ["auto"] + AnswerEncoding.Treatment.allCases.map(\.rawValue)),
          "Treatment of BOS and EOS: ranking = no BOS, last token as it comes; training = special "
            + "tokens added, last token made EOS; template = as rendered; auto = as the "
            + "checkpoint says, else ranking for value_head and template for score."),
        Option(
          "max-tokens", .int(0, 0...1_000_000_000), unit: "tokens",
          "Longest prompt with answer, cut at the end; 0 = the model's limit."),
      ],
      flags: Int(SPAR_RANK_NATIVE_RAW | SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR),
      create: { host, info, out in
        construct(host, info, out) { options, host in
          let treatments: [AnswerEncoding.Treatment?] = [nil] + AnswerEncoding.Treatment.allCases
          return try BradleyTerry(
            model: TextModel(path: options.text(0), host: host),
            scale: options.isGiven(1) ? options.float(1) : nil,
            treatment: treatments[options.choice(2)], maxTokens: options.int(3))
        }
      })
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
