import CSpar
import @MODULE@Core

/// Spar prints these options, parses what the user types and checks it.
nonisolated(unsafe) private let params: UnsafePointer<spar_param> = foreverArray(count: 2) {
  let size = UInt64(MemoryLayout<spar_param>.size)
  $0[0] = spar_param(
    struct_size: size, name: foreverText("target"), doc: foreverText("the wished length"),
    unit: foreverText("words"), default_text: foreverText("50"), choices: nil, min: 0, max: 1e6,
    type: UInt32(SPAR_T_INT), flags: UInt32(SPAR_P_RANGE))
  $0[1] = spar_param(
    struct_size: size, name: foreverText("scale"),
    doc: foreverText("difference in distance that makes log-odds of 1"),
    unit: foreverText("words"), default_text: foreverText("10"), choices: nil, min: 1e-3, max: 1e6,
    type: UInt32(SPAR_T_FLOAT), flags: UInt32(SPAR_P_RANGE))
}

/// The conversation before the answers is `q.messages`, `q.n_messages` of them.
private func rank(_ ranker: WishedLength, _ q: spar_rank_query) throws {
  let k = Int(q.k)
  guard k > 0 else { return }
  guard let answers = q.responses, let raw = q.raw, let pairwise = q.pairwise else {
    throw Failure("the query lacks its answers or its outputs")
  }
  // Texts carry their length: they may hold any bytes and do not end with NUL.
  let scores = (0..<k).map {
    ranker.score(UnsafeRawBufferPointer(start: answers[$0].p, count: Int(answers[$0].n)))
  }
  for i in 0..<k {
    q.score?[i] = scores[i]
    for j in 0..<k {
      raw[i * k + j] = i == j ? 0 : ranker.raw(scores[i], scores[j])
      pairwise[i * k + j] = WishedLength.probability(raw[i * k + j])
    }
  }
}

/// The flags are claims, which `spar plugin check` tests: raw is what is computed;
/// P(i,j) + P(j,i) = 1; P is a function of score differences; calls may overlap.
nonisolated(unsafe) private let api: UnsafePointer<spar_ranker_api> = forever {
  $0.struct_size = UInt64(MemoryLayout<spar_ranker_api>.size)
  $0.flags = UInt64(
    SPAR_RANK_NATIVE_RAW | SPAR_RANK_COMPLEMENT | SPAR_RANK_SCALAR | SPAR_RANK_REENTRANT)
  $0.rank = { me, batch in
    guard let me, let batch else { return spar_status(SPAR_E_INVALID) }
    let instance = Instance<WishedLength>.from(me)
    return guarded(instance.host) {
      let b = adopt(batch, as: spar_rank_batch())
      for query in UnsafeBufferPointer(start: b.queries, count: Int(b.n)) {
        try rank(instance.value, query)
      }
      return Int(SPAR_OK)
    }
  }
}

nonisolated(unsafe) private let description = plugin(
  forever {
    $0.struct_size = UInt64(MemoryLayout<spar_component>.size)
    $0.kind = UInt32(SPAR_KIND_RANKER)
    $0.id = foreverText("@NAME@")
    $0.name = foreverText("@NAME@")
    $0.doc = foreverText("prefers answers near a wished number of words")
    $0.params = params
    $0.n_params = 2
    $0.create = { host, info, out in
      construct(host, info, out) { values in
        guard values.count == 2, values[1].f > 0 else { throw Failure("scale must be positive") }
        return WishedLength(target: Double(values[0].i), scale: values[1].f)
      }
    }
    $0.destroy = { me in
      if let me { Unmanaged<Instance<WishedLength>>.fromOpaque(me).release() }
    }
    $0.api = UnsafeRawPointer(api)
  })

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
