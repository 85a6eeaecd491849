import SparCompute

/// x weightᵀ + bias, with all rows of the weight or with some of a fused one.
struct Projection {
  let weight: Parameter
  var rows: Range<Int>?
  var bias: Parameter?

  func callAsFunction(_ x: Variable, _ graph: Graph) throws -> Variable {
    try graph.linear(x, weight, rows: rows, bias: bias)
  }
}

/// RMS norm over the weight's width, times weight + offset.
struct RMSNorm {
  let weight: Parameter
  let epsilon: Double
  let offset: Double

  func callAsFunction(_ x: Variable, _ graph: Graph) throws -> Variable {
    try graph.rmsNorm(x, weight, epsilon: epsilon, offset: offset)
  }
}

/// Loads the parameters of one model, or of one place in it.
struct PartLoader {
  let config: ModelConfig
  var place: String
  let load: ParameterLoader

  func parameter(_ name: String, _ shape: [Int]) throws -> Parameter {
    try load(place + name, shape)
  }

  func projection(_ name: String, _ rows: Int, _ columns: Int, bias: Bool) throws -> Projection {
    Projection(
      weight: try parameter(name + ".weight", [rows, columns]),
      bias: bias ? try parameter(name + ".bias", [rows]) : nil)
  }

  func norm(_ name: String, _ width: Int) throws -> RMSNorm {
    RMSNorm(
      weight: try parameter(name + ".weight", [width]), epsilon: config.rmsEpsilon,
      offset: config.norms.offset)
  }

  func within(_ name: String) -> PartLoader {
    PartLoader(config: config, place: place + name + ".", load: load)
  }
}
