import Foundation
import SparCompute
import SparModel
import SparTensor

/// A transformer with a ranker's heads.
public final class RankerModel {
  public let backbone: LanguageModel
  public let head: RankerHead
  /// [d, C]
  let value: Parameter
  /// [d/2, C]; nil without a gate.
  let prompt: Parameter?
  /// [1, 1]: the number that τ follows from; nil where τ is given.
  let tau: Parameter?

  /// Fresh heads, drawn from N(0, 1/(C + 1)) as in the authors' code.
  public init(_ backbone: LanguageModel, head: RankerHead, learnsTau: Bool, seed: UInt64) {
    self.backbone = backbone
    self.head = head
    let width = backbone.config.hiddenSize
    func parameter(_ name: String, rows: Int, item: Int) -> Parameter {
      let tensor = backbone.backend.tensor([rows, width], use: .weights)
      var random = Random(seed: seed, stage: .initialise, iteration: 1, item: item)
      for i in 0..<tensor.count {
        // Box and Muller; 1 − u lies in (0, 1].
        let radius = (-2 * log(1 - random.uniform())).squareRoot()
        let angle = 2 * Double.pi * random.uniform()
        tensor.floats[i] = Float(radius * cos(angle) / Double(width + 1))
      }
      return Parameter(name: name, value: tensor)
    }
    value = parameter("value_head.weight", rows: head.dimension, item: 0)
    prompt =
      head.gate == .none ? nil : parameter("prompt_head.weight", rows: head.blocks, item: 1)
    if learnsTau {
      let number = backbone.backend.tensor([1, 1], use: .weights)
      number.floats[0] = Float(RankerLoss.initialTau)
      tau = Parameter(name: "tau", value: number)
    } else {
      tau = nil
    }
  }

  /// The heads' own parameters.
  var headParameters: [Parameter] { [value] + [prompt, tau].compactMap { $0 } }

  /// τ that scores are divided by.
  func temperature(_ loss: RankerLoss) -> Double {
    tau.map { RankerLoss.tau(of: Double($0.value.floats[0])).value } ?? loss.tau
  }

  /// The heads' outputs for the states of some sequences.
  struct Outputs {
    let embeddings: Variable
    let gates: Variable?
    /// [n][d] and [n][k]
    let raw: [[Double]]
    let gate: [[Double]]
  }

  func outputs(_ states: RankerStates) throws -> Outputs {
    func rows(_ variable: Variable?) -> [[Double]] {
      guard let variable else { return [] }
      let (values, width) = (variable.value.array(), variable.value.shape[1])
      return stride(from: 0, to: values.count, by: width).map {
        values[$0..<($0 + width)].map(Double.init)
      }
    }
    let embeddings = try states.graph.linear(states.last, value)
    var gates: Variable?
    if let prompt, let turnEnd = states.turnEnd {
      gates = try states.graph.linear(turnEnd, prompt)
    }
    return Outputs(
      embeddings: embeddings, gates: gates, raw: rows(embeddings), gate: rows(gates))
  }
}
