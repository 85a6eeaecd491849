import CSparPlugin
import Glibc
import SparCompute
import SparHost
import SparTensor

/// Laws of a backend that no single call shows.
let backendLawTests = [
  ConformanceTest(
    "backend.two-layer-model", .backend,
    "A model of two layers has the log-probabilities and the gradients of the plain twins.",
    cure: "the operations' own tests say which one is wrong; if all pass, look at state kept "
      + "between calls"
  ) { subject in
    let instance = try subject.open().make()
    let tested = Backend(
      api: backendTable(instance), instance: instance.pointer,
      name: instance.owner.component.id)
    subject.doing("the forward and backward pass of two layers")
    let found = try SmallModel(tested, seed: subject.seed).run()
    let right = try SmallModel(.reference(), seed: subject.seed).run()
    var worst = 0.0
    for (name, values) in found {
      for (i, (a, b)) in zip(values, right[name] ?? []).enumerated() {
        let error = Double(abs(a - b)) / max(1, abs(Double(b)))
        try require(
          error < 2e-3, "\(name), entry \(i), is \(a), the plain twins have \(b)")
        worst = max(worst, error)
      }
    }
    return "\(found.values.reduce(0) { $0 + $1.count }) values, largest difference \(Float(worst))"
  },
  ConformanceTest(
    "backend.thread-count-claim", .backend,
    "A backend that claims SPAR_BE_DETERMINISTIC gives the same bits with 1, 2, 3 and 5 threads.",
    cure: "cut loops by a fixed grain, never by the number of threads, and join partial sums in "
      + "order; or drop the flag"
  ) { subject in
    let opened = try subject.open()
    let single = try opened.make(threads: 1)
    guard backendTable(single).flags & UInt64(SPAR_BE_DETERMINISTIC) != 0 else {
      throw NotApplicable("not claimed")
    }
    let alone = images(single, subject)
    for threads in [1, 2, 3, 5] as [Int32] {
      let several = try opened.make(threads: threads)
      opened.host.setThreads(threads)
      let again = images(several, subject)
      for (label, image) in alone where again[label] != image {
        throw Violation("\(label): other bits with \(threads) threads than with 1")
      }
    }
    return "\(alone.count) calls"
  },
  ConformanceTest(
    "backend.concurrency-claim", .backend,
    "A backend that claims SPAR_BE_CONCURRENT gives eight threads what it gives one.",
    cure: "guard scratch memory of the instance, or drop the flag"
  ) { subject in
    let opened = try subject.open()
    let instance = try opened.make()
    guard backendTable(instance).flags & UInt64(SPAR_BE_CONCURRENT) != 0 else {
      throw NotApplicable("not claimed")
    }
    let seed = subject.seed
    let alone = (0..<8).map { thread in
      concurrentTrials(seed, thread).compactMap { $0.run(on: instance, age: .present)?.set.image }
    }
    subject.doing("operations on 8 threads at once")
    let wrong = onThreads(8) { thread in
      for _ in 0..<10 {
        let found = concurrentTrials(seed, thread).compactMap {
          $0.run(on: instance, age: .present)?.set.image
        }
        if found != alone[thread] { return "thread \(thread) got other bits than when alone" }
      }
      return nil
    }
    if let wrong { throw Violation(wrong) }
    return "8 threads, 10 rounds each"
  },
  ConformanceTest(
    "backend.mismatched-shapes", .backend,
    "Shapes that do not fit give a status with a text and leave the output untouched.",
    cure: "compare shapes before you compute; SPAR_E_INVALID with both shapes in the text"
  ) { subject in
    let instance = try subject.open().make()
    var answered = 0
    for trial in mismatches {
      subject.doing(trial.label)
      guard let (outcome, set) = trial.run(on: instance, age: .present) else { continue }
      try outcome.requireText(trial.label)
      try require(!outcome.isOK, "\(trial.label): answered OK")
      for operand in set.operands {
        if let place = operand.trespass { throw Violation("\(trial.label): it writes \(place)") }
      }
      answered += 1
    }
    return "\(answered) calls"
  },
  ConformanceTest(
    "backend.memory", .backend,
    "Buffers have their bytes, are aligned to 64 where the CPU can address them, and go back.",
    cure: "buffer_alloc and buffer_free come together; host is NULL or 64-byte aligned"
  ) { subject in
    let instance = try subject.open().make()
    let api = backendTable(instance)
    guard let allocate = api.buffer_alloc else {
      throw NotApplicable("not offered: tensors live in the host's memory")
    }
    guard let release = api.buffer_free else {
      throw Violation("it offers buffer_alloc without buffer_free")
    }
    var given = 0
    for (bytes, usage) in [(1, 1), (4096, 2), (1 << 20, 3), (12345, 4)] {
      subject.doing("buffer_alloc of \(bytes) bytes")
      var buffer = spar_buffer()
      let outcome = instance.owner.host.call {
        allocate(instance.pointer, UInt64(bytes), UInt32(usage), &buffer)
      }
      // Then the tensor lives in the host's memory.
      if outcome.isUnsupported { continue }
      try outcome.requireText("buffer_alloc of \(bytes) bytes")
      try outcome.requireOK("buffer_alloc of \(bytes) bytes")
      given += 1
      try require(buffer.bytes >= bytes, "\(buffer.bytes) bytes were given, \(bytes) asked for")
      if let host = buffer.host {
        try require(
          UInt(bitPattern: host) % 64 == 0, "the buffer is not aligned to 64 bytes")
        memset(host, 0x5A, bytes)
      }
      release(instance.pointer, &buffer)
    }
    return "\(given) of 4 buffers given"
  },
]

extension OperandSet {
  /// The bytes of all tensors.
  var image: [[UInt8]] { operands.map(\.image) }
}

/// What every operation leaves in memory, call by call.
private func images(_ instance: LiveInstance, _ subject: Subject) -> [String: [[UInt8]]] {
  var found: [String: [[UInt8]]] = [:]
  for family in OperationFamily.all {
    for trial in family.cases(subject.seed) {
      let label = "\(family.name), \(trial.label)"
      subject.doing(label)
      guard let (outcome, set) = trial.run(on: instance, age: .present), outcome.isOK else {
        continue
      }
      found[label] = set.image
    }
  }
  return found
}

private func concurrentTrials(_ seed: UInt64, _ thread: Int) -> [OperationTrial] {
  [OperationFamily.gemm, .norm, .linearLogp].flatMap {
    $0.cases(seed + UInt64(thread)).prefix(5)
  }
}

/// Calls whose operands do not fit together.
private var mismatches: [OperationTrial] {
  [
    OperationTrial(
      label: "gemm of 4 × 5 and 6 × 3",
      operands: {
        [
          .input("a", [4, 5], .init(repeating: 1, count: 20)),
          .input("b", [6, 3], .init(repeating: 1, count: 18)), .output("c", [4, 3]),
        ]
      },
      call: { set, api, me in
        var args = spar_gemm_args()
        args.a = UnsafePointer(set["a"])
        args.b = UnsafePointer(set["b"])
        args.c = set["c"]
        args.alpha = 1
        return set.call(api.gemm, me, args)
      }),
    OperationTrial(
      label: "activation of 4 × 5 into 4 × 6",
      operands: {
        [.input("x", [4, 5], .init(repeating: 1, count: 20)), .output("y", [4, 6])]
      },
      call: { set, api, me in
        var args = spar_activation_args()
        args.x = UnsafePointer(set["x"])
        args.y = set["y"]
        args.kind = UInt32(SPAR_SILU)
        return set.call(api.activation, me, args)
      }),
    OperationTrial(
      label: "binary of 3 × 5 and 3 × 7",
      operands: {
        [
          .input("x", [3, 5], .init(repeating: 1, count: 15)),
          .input("z", [3, 7], .init(repeating: 1, count: 21)), .output("y", [3, 5]),
        ]
      },
      call: { set, api, me in
        var args = spar_binary_args()
        args.x = UnsafePointer(set["x"])
        args.z = UnsafePointer(set["z"])
        args.y = set["y"]
        args.alpha = 1
        args.beta = 1
        args.kind = UInt32(SPAR_ADD)
        return set.call(api.binary, me, args)
      }),
  ]
}
