import CSparPlugin
import SparPluginKit

private let rules = ["exact", "regex", "json", "constraints"]

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.verifier", name: "Verifier", version: "0.1.0",
  components: [
    ranker(
      id: "verifier", name: "Verifier",
      doc: "Prefers the answer that a rule finds right: exact answer, pattern, JSON, constraints.",
      formula: "raw(i, j) = (v_i − v_j)/scale, v in 0…1",
      paper: "Cobbe et al. 2021, arXiv:2110.14168; Zhou et al. 2023, arXiv:2311.07911",
      options: [
        Option(
          "rule", .requiredChoice(among: rules),
          "exact = the final number equals the row's; regex = a pattern matches; json = the answer "
            + "is JSON; constraints = share of the row's IFEval instructions that are followed."),
        Option("column", .text("answer"), "Column of the prompt's row with the exact answer."),
        Option(
          "pattern", .text("\\S"), "Regular expression of the rule regex; by default, any text."),
        Option("whole", .bool(false), "The pattern must match the whole answer."),
        Option(
          "scale", .float(0.2, 1e-6...1e6), "Difference in v that makes log-odds of 1."),
      ],
      flags: Int(
        SPAR_RANK_NATIVE_RAW | SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR | SPAR_RANK_REENTRANT),
      create: { host, info, out in
        construct(host, info, out) { options, _ in
          Verifier(rule: try rule(options), scale: options.float(4), misuse: misuse(options))
        }
      })
  ])

/// An option that another rule reads.
private func misuse(_ options: OptionValues) -> PluginFailure? {
  let name = rules[options.choice(0)]
  for (index, option, owner) in [
    (1, "column", "exact"), (2, "pattern", "regex"), (3, "whole", "regex"),
  ] where options.isGiven(index) && name != owner {
    return PluginFailure("option \(option) belongs to the rule \(owner), but rule is \(name)")
  }
  return nil
}

private func rule(_ options: OptionValues) throws -> any AnswerRule {
  switch rules[options.choice(0)] {
  case "regex": return try PatternRule(options.text(2), isWhole: options.bool(3))
  case "json": return JSONRule()
  case "constraints": return ConstraintRule()
  default: return ExactAnswerRule(column: options.text(1))
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
