/// A low-rank correction of a linear layer: W + scale · B A, with W left as it is.
///
/// Source: Hu et al. 2021, arXiv:2106.09685; `scale` is their α/r.
public final class LowRankAdapter: @unchecked Sendable {
  /// [r, in]
  public let a: Parameter
  /// [out, r]; zeros at first, so that training starts from W.
  public let b: Parameter
  public let scale: Double

  public init(a: Parameter, b: Parameter, scale: Double) {
    precondition(a.value.shape[0] == b.value.shape[1], "A and B share their rank")
    self.a = a
    self.b = b
    self.scale = scale
  }
}
