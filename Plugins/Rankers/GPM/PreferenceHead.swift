import CSparPlugin
import SparPluginKit

/// How the gate λ follows from the prompt head's output g, k = d/2 numbers.
enum Gate: String, CaseIterable {
  /// V0: λ = 1.
  case none
  /// V1: λ = softmax(g); Σ λ = 1.
  case softmax
  /// V2: λ = k·softmax(g/√C); Σ λ = k.
  case scaled
}

/// What a checkpoint or the user says about a general preference model; nil: nobody says.
struct HeadChoices: Equatable {
  var gate: Gate?
  var normalises: Bool?
  var tau: Double?
  var treatment: AnswerEncoding.Treatment?
  /// d
  var dimension: Int?
  var hasPromptHead: Bool?
}

/// The general preference embedding on top of a causal model.
///
///     v = W h_last, perhaps v/‖v‖;  s(i ≻ j) = Σ_l λ_l (v_2l w_2l+1 − v_2l+1 w_2l)
///
/// with v of answer i, w of answer j, and λ of the prompt.
/// Source: Zhang et al. 2024, arXiv:2410.02197, equation 4.1; the code applies λ once.
struct PreferenceHead {
  let gate: Gate
  let normalises: Bool
  private let valueHead: LinearHead
  private let promptHead: LinearHead?

  /// Embedding dimension d.
  var dimension: Int { valueHead.outputs }

  init(_ model: TextModel, _ choices: HeadChoices) throws {
    let info = model.info
    guard !info.isEncoder else {
      throw PluginFailure("\(info.path) is an encoder; gpm needs a causal model with a value head")
    }
    guard let value = try model.tensor("value_head.weight") else {
      throw PluginFailure(
        "\(info.path) has no tensor value_head.weight, so it is no general preference model; "
          + "a classifier with score.weight is for the ranker bradley-terry")
    }
    valueHead = try LinearHead(value, named: "value_head.weight", info)
    let d = valueHead.outputs
    guard d % 2 == 0 else {
      throw PluginFailure(
        "\(info.path): value_head.weight has \(d) rows, an embedding has an even number; "
          + (d == 1 ? "one row is a reward: use the ranker bradley-terry" : "the file is damaged"))
    }
    let prompt = try model.tensor("prompt_head.weight")
    promptHead = try prompt.map { try LinearHead($0, named: "prompt_head.weight", info) }
    if let promptHead, promptHead.outputs != d / 2 {
      throw PluginFailure(
        "\(info.path): prompt_head.weight has \(promptHead.outputs) rows, "
          + "a value head of \(d) needs \(d / 2)")
    }
    if let said = choices.dimension, said != d {
      throw PluginFailure(
        "\(info.path): config.json says value_head_dim \(said), value_head.weight has \(d) rows")
    }
    if let said = choices.hasPromptHead, said != (promptHead != nil) {
      throw PluginFailure(
        "\(info.path): config.json says add_prompt_head \(said), "
          + "prompt_head.weight is \(promptHead == nil ? "not there" : "there")")
    }
    gate = choices.gate ?? (promptHead == nil ? .none : .softmax)
    guard gate == .none || promptHead != nil else {
      throw PluginFailure(
        "gate \(gate.rawValue) needs prompt_head.weight, which \(info.path) lacks; use gate none")
    }
    normalises = choices.normalises ?? true
  }

  /// v of one answer from the state at its last token.
  func embedding(_ states: [Float], row: Int = 0) -> [Double] {
    let v = valueHead(states, row: row)
    return normalises ? unitVector(v) : v
  }

  /// λ from the state at the end of the user's turn.
  func weights(_ states: [Float], row: Int = 0) -> [Double] {
    let k = dimension / 2
    guard gate != .none, let promptHead else { return [Double](repeating: 1, count: k) }
    let g = promptHead(states, row: row)
    return gate == .softmax
      ? softmax(g)
      : softmax(g.map { $0 / Double(promptHead.inputs).squareRoot() }).map { $0 * Double(k) }
  }
}
