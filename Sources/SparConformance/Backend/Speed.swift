import CSparPlugin
import Glibc

/// How fast a backend multiplies; tried only when asked for, since it judges nothing.
public let speedTest = ConformanceTest(
  "backend.speed", .backend, "Speed of the products that generation and training are made of.",
  cure: "none needed"
) { subject in
  let threads = Int32(clamping: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  let instance = try subject.open().make(threads: threads)
  var lines: [String] = []
  for (m, n, k) in [(512, 512, 512), (256, 1536, 576), (1, 4096, 576)] {
    let flop = 2 * Double(m * n * k)
    let trial = OperationTrial(
      label: times([m, n, k]),
      operands: {
        [
          .input("a", [m, k], .init(repeating: 0.5, count: m * k)),
          .input("b", [n, k], .init(repeating: 0.25, count: n * k)), .output("c", [m, n]),
        ]
      },
      call: { set, api, me in
        var args = spar_gemm_args()
        args.flags = UInt64(SPAR_TRANS_B)
        args.a = UnsafePointer(set["a"])
        args.b = UnsafePointer(set["b"])
        args.c = set["c"]
        args.alpha = 1
        return set.call(api.gemm, me, args)
      })
    let set = OperandSet(trial.operands(), .present)
    let api = backendTable(instance)
    var best = Double.infinity
    let start = wallSeconds()
    while wallSeconds() - start < 0.5 || best == .infinity {
      let before = wallSeconds()
      let outcome = instance.owner.host.call {
        trial.call(set, api, instance.pointer) ?? spar_status(SPAR_UNSUPPORTED)
      }
      if outcome.isUnsupported { throw NotApplicable("it does not offer gemm of f32") }
      try outcome.requireOK("gemm")
      best = min(best, wallSeconds() - before)
    }
    lines.append("gemm \(trial.label): \(Int((flop / best / 1e8).rounded()) / 10) GFLOP/s")
  }
  return lines.joined(separator: "; ") + " on \(threads) threads"
}

/// The clock on the wall, from any start.
func wallSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
