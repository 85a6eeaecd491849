import CSparPlugin
import Glibc

extension Reference {
  /// One step of the rule that the ABI defines.
  static func optimizer(_ args: spar_optimizer_args) throws(ReferenceGap) {
    let p = try Rows(args.p, inner: 2 - (args.p?.pointee.rank == 1 ? 1 : 0))
    let g = try Rows(args.g, inner: 2 - (args.g?.pointee.rank == 1 ? 1 : 0))
    let m = try Rows(optional: args.m, inner: 2 - (args.m?.pointee.rank == 1 ? 1 : 0))
    let v = try Rows(optional: args.v, inner: 2 - (args.v?.pointee.rank == 1 ? 1 : 0))
    guard args.master == nil else { throw ReferenceGap(what: "a master copy") }
    let correction1 = 1 - pow(args.beta1, Double(args.step))
    let correction2 = 1 - pow(args.beta2, Double(args.step))
    for i in 0..<p.width {
      var parameter = Double(p.base[i])
      var gradient = Double(g.base[i]) * args.grad_scale
      switch Int(args.kind) {
      case SPAR_OPT_ADAMW:
        parameter -= args.lr * args.weight_decay * parameter
        let first = args.beta1 * Double(m.base[i]) + (1 - args.beta1) * gradient
        let second = args.beta2 * Double(v.base[i]) + (1 - args.beta2) * gradient * gradient
        m.base[i] = Float(first)
        v.base[i] = Float(second)
        parameter -=
          args.lr * (first / correction1) / ((second / correction2).squareRoot() + args.eps)
      case SPAR_OPT_RMSPROP:
        gradient += args.weight_decay * parameter
        let second = args.beta2 * Double(v.base[i]) + (1 - args.beta2) * gradient * gradient
        v.base[i] = Float(second)
        var update = gradient / (second.squareRoot() + args.eps)
        if m.isPresent {
          update += args.momentum * Double(m.base[i])
          m.base[i] = Float(update)
        }
        parameter -= args.lr * update
      case SPAR_OPT_SGD:
        gradient += args.weight_decay * parameter
        if m.isPresent {
          gradient += args.momentum * Double(m.base[i])
          m.base[i] = Float(gradient)
        }
        parameter -= args.lr * gradient
      case SPAR_OPT_LION:
        parameter -= args.lr * args.weight_decay * parameter
        let direction = args.beta1 * Double(m.base[i]) + (1 - args.beta1) * gradient
        parameter -= args.lr * (direction > 0 ? 1 : direction < 0 ? -1 : 0)
        m.base[i] = Float(args.beta2 * Double(m.base[i]) + (1 - args.beta2) * gradient)
      default:
        throw ReferenceGap(what: "optimizer kind \(args.kind)")
      }
      p.base[i] = Float(parameter)
    }
  }
}
