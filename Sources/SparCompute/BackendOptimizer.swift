import CSparPlugin
import SparTensor

/// A first-order update rule with its constants.
public enum UpdateRule: Equatable, Sendable {
  case adamW(beta1: Double, beta2: Double, epsilon: Double)
  case rmsProp(alpha: Double, epsilon: Double, momentum: Double)
}

extension Backend {
  /// One step on p from gradient g (times `gradientScale`); the formulas are those of the ABI.
  /// m and v are state of p's shape, nil where the rule has none; `step` counts from 1.
  public func optimizerStep(
    _ rule: UpdateRule, p: Tensor, m: Tensor?, v: Tensor?, g: Tensor, learningRate: Double,
    weightDecay: Double, gradientScale: Double, step: Int
  ) throws(ComputeError) {
    var args = spar_optimizer_args()
    args.struct_size = UInt64(MemoryLayout<spar_optimizer_args>.size)
    args.p = slot(p)
    args.m = slot(m)
    args.v = slot(v)
    args.g = input(g)
    args.lr = learningRate
    args.weight_decay = weightDecay
    args.grad_scale = gradientScale
    args.step = Int64(step)
    switch rule {
    case .adamW(let beta1, let beta2, let epsilon):
      args.kind = UInt32(SPAR_OPT_ADAMW)
      args.beta1 = beta1
      args.beta2 = beta2
      args.eps = epsilon
    case .rmsProp(let alpha, let epsilon, let momentum):
      args.kind = UInt32(SPAR_OPT_RMSPROP)
      args.beta2 = alpha
      args.eps = epsilon
      args.momentum = momentum
    }
    try call(
      "optimizer", api.optimizer, &args, fast: fallback?.optimizer, twin: Reference.optimizer)
  }
}
