import CSparPlugin
import SparHost
import SparTensor

/// One operation of a backend and the calls on which it is compared.
struct OperationFamily: Sendable {
  /// As in the ABI: "attention_bwd".
  var name: String
  /// What is compared, for the report.
  var about: String
  var cases: @Sendable (UInt64) -> [OperationTrial]

  static let all: [OperationFamily] = [
    gemm, attention, attentionBackward, norm, normBackward, rotary, softmax, softmaxBackward,
    activation, activationBackward, embed, embedBackward, logp, logpBackward, binary, reduce, copy,
    fill, linearLogp, linearLogpBackward, optimizer, relativeAttention, relativeAttentionBackward,
  ]

  /// What a host does with every backend, for tests that are not about results.
  static let exercise: [OperationFamily] = [
    gemm, norm, attention, activation, linearLogp, optimizer,
  ].map { family in
    OperationFamily(name: family.name, about: family.about) { seed in
      Array(family.cases(seed).prefix(2))
    }
  }
}

/// Every operation against its plain twin.
let backendOperationTests = OperationFamily.all.map { family in
  ConformanceTest(
    "backend.\(family.name.replacing("_", with: "-"))", .backend,
    "\(family.name) does what its plain twin does: \(family.about).",
    cure: "see the operation's comment in spar_plugin.h; answer SPAR_UNSUPPORTED, before writing, "
      + "to what you do not do"
  ) { subject in
    let instance = try subject.open().make()
    let cases = family.cases(subject.seed)
    var (agreed, unsupported) = (0, 0)
    for trial in cases {
      subject.doing("\(family.name), \(trial.label)")
      switch try trial.judge(instance) {
      case .agrees: agreed += 1
      case .unsupported: unsupported += 1
      case .notOffered: throw NotApplicable("not offered: the host does it itself")
      }
    }
    let rest = unsupported > 0 ? ", \(unsupported) answered UNSUPPORTED" : ""
    return "\(agreed) of \(cases.count) calls agree\(rest)"
  }
}

/// The table, adopted: shorter tables of older plugins end in NULL.
func adoptTable(_ api: UnsafeRawPointer) -> spar_backend_api {
  adopt(api, as: spar_backend_api.self)
}

/// Made-up values of a trial.
struct TrialValues {
  private var random: Random

  init(_ seed: UInt64, _ item: Int) {
    random = Random(seed: seed, stage: .initialise, item: 1000 + item)
  }

  /// Uniform in ±scale, as f32 holds them.
  mutating func reals(_ shape: [Int], scale: Double = 1) -> [Double] {
    (0..<shape.reduce(1, *)).map { _ in Double(Float(scale * (2 * random.uniform() - 1))) }
  }

  /// In 0..<bound, every `hole`-th one -1.
  mutating func indices(_ count: Int, below bound: Int, hole: Int = 0) -> [Int] {
    (0..<count).map { i in
      let index = Int(random.next() % UInt64(bound))
      return hole > 0 && i % hole == hole - 1 ? -1 : index
    }
  }
}

/// "2 × 3".
func times(_ shape: [Int]) -> String { shape.map { "\($0)" }.joined(separator: " × ") }
