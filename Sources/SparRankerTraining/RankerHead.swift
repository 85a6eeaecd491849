import Foundation

/// What a ranker's head computes from a transformer's final states.
public struct RankerHead: Equatable, Sendable, Codable {
  /// How answers are compared.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Embeddings of even dimension d and a skew-symmetric product, which can hold cycles.
    /// Source: Zhang et al. 2024, arXiv:2410.02197.
    case gpm
    /// A reward for each answer. Source: Bradley and Terry 1952; Ouyang et al. 2022.
    case bradleyTerry = "bradley-terry"
    /// Both answers at once through a cross-encoder: f([h; h_1]) − f([h; h_2]).
    /// Source: Jiang et al. 2023, arXiv:2306.02561.
    case pairrm

    /// τ where none is given.
    public var defaultTau: Double { self == .gpm ? 0.1 : 1 }
  }

  /// Weights λ of the d/2 blocks, from the state at the end of the user's turn.
  public enum Gate: String, Codable, Sendable, CaseIterable {
    /// λ = 1
    case none
    /// λ = softmax(g)
    case softmax
    /// λ = k softmax(g/√C), k = d/2
    case scaled
  }

  public var kind = Kind.gpm
  /// d; 1 for the other kinds.
  public var dimension = 2
  public var gate = Gate.none
  /// Embeddings are divided by their norm (gpm only).
  public var normalises = true

  public init(
    kind: Kind = .gpm, dimension: Int = 2, gate: Gate = .none, normalises: Bool = true
  ) {
    self.kind = kind
    self.dimension = kind == .gpm ? dimension : 1
    self.gate = kind == .gpm ? gate : .none
    self.normalises = kind == .gpm && normalises
  }

  /// k, the blocks of an embedding.
  public var blocks: Int { dimension / 2 }

  /// v/max(‖v‖, 1e-12) where embeddings are normalised.
  func embedding(_ raw: [Double]) -> [Double] {
    guard normalises else { return raw }
    let norm = max(raw.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
    return raw.map { $0 / norm }
  }

  /// λ [k] from the prompt head's output g, C the width of the states.
  func weights(_ g: [Double], width: Int) -> [Double] {
    switch gate {
    case .none: return [Double](repeating: 1, count: blocks)
    case .softmax: return softmax(g)
    case .scaled:
      let root = Double(width).squareRoot()
      return softmax(g.map { $0 / root }).map { $0 * Double(blocks) }
    }
  }

  /// s(i ≻ j) of two embeddings (or rewards); above zero if i is better.
  func score(_ v: [Double], _ w: [Double], _ lambda: [Double]) -> Double {
    guard kind == .gpm else { return v[0] - w[0] }
    var sum = 0.0
    for l in 0..<blocks {
      sum += lambda[l] * (v[2 * l] * w[2 * l + 1] - v[2 * l + 1] * w[2 * l])
    }
    return sum
  }
}

func softmax(_ values: [Double]) -> [Double] {
  let most = values.max() ?? 0
  let powers = values.map { exp($0 - most) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}
