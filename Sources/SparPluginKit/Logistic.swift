import Glibc

/// 1 / (1 + e^-x), without overflow.
public func logistic(_ x: Double) -> Double {
  x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
}

/// ln(1 / (1 + e^-x)), exact to the last bits for any x.
public func logLogistic(_ x: Double) -> Double {
  x >= 0 ? -log1p(exp(-x)) : x - log1p(exp(x))
}
