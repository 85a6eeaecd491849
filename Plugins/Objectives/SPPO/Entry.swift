import CSparPlugin
import SparPluginKit

private let beta = Option(
  "beta", .float(1e-3, 1e-9...1e3), "1/eta: the target log-ratio is (P - 0.5) / beta.")
private let paper = "Wu et al. 2024, arXiv:2405.00675, Algorithm 1"
private let metrics = ["target_residual", "normalised_loss"]

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.sppo", name: "Self-Play Preference Optimization", version: "0.1.0",
  components: [
    pairObjective(
      id: "sppo", name: "SPPO",
      doc: "Regresses log-ratios to win rates over the group; beta is 1/eta, near 0.001.",
      formula: "L = ½ Σ_{y = w, l} (log π/π_ref(y) − (P_y − ½)/β)², P_y = mean over j ≤ K of "
        + "P(y beats y_j); all-answers: mean over all y",
      paper: paper, options: [beta],
      needs: Int(SPAR_OBJ_REFERENCE | SPAR_OBJ_WIN_PROB | SPAR_OBJ_ANSWERS),
      metrics: metrics,
      create: { host, info, out in
        construct(host, info, out) { options, _ in SPPO(.winRate, beta: options.float(0)) }
      }),
    pairObjective(
      id: "sppo-single", name: "SPPO (single)",
      doc: "Regresses log-ratios to P(chosen beats rejected); beta is 1/eta, near 0.001.",
      formula: "L = ½ [(log π/π_ref(w) − (P − ½)/β)² + (log π/π_ref(l) + (P − ½)/β)²], "
        + "P = P(w beats l)",
      paper: paper + ", with the pair's own probability", options: [beta],
      needs: Int(SPAR_OBJ_REFERENCE | SPAR_OBJ_PAIRWISE),
      metrics: metrics,
      create: { host, info, out in
        construct(host, info, out) { options, _ in SPPO(.pair, beta: options.float(0)) }
      }),
    pairObjective(
      id: "sppo-hard", name: "SPPO (hard)",
      doc: "Regresses log-ratios to certain wins and losses; beta is 1/eta, near 0.001.",
      formula: "L = (log π/π_ref(w) − 1/(2β))² + (log π/π_ref(l) + 1/(2β))²",
      paper: paper + ", with certain wins", options: [beta],
      needs: Int(SPAR_OBJ_REFERENCE), metrics: metrics,
      create: { host, info, out in
        construct(host, info, out) { options, _ in SPPO(.hard, beta: options.float(0)) }
      }),
  ])

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
