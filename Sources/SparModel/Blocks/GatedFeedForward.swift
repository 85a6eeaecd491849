import SparCompute

/// down(f(gate x) · up x): SwiGLU, GeGLU.  Source: Shazeer 2020, arXiv:2002.05202.
struct GatedFeedForward {
  private let gate, up, down: Projection
  private let activation: Activation
  let parameters: [Parameter]

  init(_ part: PartLoader) throws {
    let options = part.config.feedForward
    let (c, f) = (part.config.hiddenSize, part.config.intermediateSize)
    activation = options.activation
    if options.isFused {
      let weight = try part.parameter("gate_up_proj.weight", [2 * f, c])
      gate = Projection(weight: weight, rows: 0..<f)
      up = Projection(weight: weight, rows: f..<(2 * f))
    } else {
      gate = try part.projection("gate_proj", f, c, bias: options.hasBias)
      up = try part.projection("up_proj", f, c, bias: options.hasBias)
    }
    down = try part.projection("down_proj", c, f, bias: options.hasBias)
    parameters =
      ((options.isFused ? [gate] : [gate, up]) + [down]).flatMap { [$0.weight, $0.bias] }
      .compactMap { $0 }
  }

  func callAsFunction(_ x: Variable, _ graph: Graph) throws -> Variable {
    let opened = try graph.gated(activation, gate: gate(x, graph), up: up(x, graph))
    return try down(opened, graph)
  }
}
