import CSpar
import @MODULE@Core

/// Spar prints these options, parses what the user types and checks it.
nonisolated(unsafe) private let params: UnsafePointer<spar_param> = forever {
  $0.struct_size = UInt64(MemoryLayout<spar_param>.size)
  $0.name = foreverText("tau")
  $0.doc = foreverText("pull towards the reference: the margin aimed at is 1/(2 tau)")
  $0.unit = foreverText("1/nat")
  $0.default_text = foreverText("0.1")
  $0.min = 1e-6
  $0.max = 100
  $0.type = UInt32(SPAR_T_FLOAT)
  $0.flags = UInt32(SPAR_P_RANGE)
}

/// Each is shown as sum / weight of the whole step; the list ends with NULL.
nonisolated(unsafe) private let metrics = foreverArray(count: 3) {
  (list: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) in
  list[0] = foreverText("margin")
  list[1] = foreverText("accuracy")
}

/// Rows are grouped by prompt; label is +1 for chosen, −1 for rejected, 0 for the rest.
private func evaluate(_ loss: PairLoss, _ b: spar_objective_batch) throws -> Int {
  guard b.n_groups > 0 else { return Int(SPAR_OK) }
  guard let begin = b.begin, let label = b.label, let logp = b.logp, let reference = b.ref_logp,
    let losses = b.loss, let dlogp = b.dlogp, let sum = b.metric_sum, let weight = b.metric_weight
  else { throw Failure("the batch lacks an input or an output") }
  for group in 0..<Int(b.n_groups) {
    let rows = Int(begin[group])..<Int(begin[group + 1])
    for w in rows where label[w] > 0 {
      for l in rows where label[l] < 0 {
        let margin = (logp[w] - reference[w]) - (logp[l] - reference[l])
        let pair = loss(margin: margin)
        losses[w] += pair.value  // Spar divides by the step's pairs
        dlogp[w] += pair.slope
        dlogp[l] -= pair.slope
        sum[0] += margin
        sum[1] += margin > 0 ? 1 : 0
        weight[0] += 1
        weight[1] += 1
      }
    }
  }
  return Int(SPAR_OK)
}

nonisolated(unsafe) private let api: UnsafePointer<spar_objective_api> = forever {
  $0.struct_size = UInt64(MemoryLayout<spar_objective_api>.size)
  $0.needs = UInt64(SPAR_OBJ_REFERENCE)
  $0.metric_names = metrics
  $0.evaluate = { me, batch in
    guard let me, let batch else { return spar_status(SPAR_E_INVALID) }
    let instance = Instance<PairLoss>.from(me)
    return guarded(instance.host) {
      try evaluate(instance.value, adopt(batch, as: spar_objective_batch()))
    }
  }
}

nonisolated(unsafe) private let description = plugin(
  forever {
    $0.struct_size = UInt64(MemoryLayout<spar_component>.size)
    $0.kind = UInt32(SPAR_KIND_OBJECTIVE)
    $0.id = foreverText("@NAME@")
    $0.name = foreverText("@NAME@")
    $0.doc = foreverText("squared distance of the log-ratio margin from 1/(2 tau)")
    $0.params = params
    $0.n_params = 1
    $0.create = { host, info, out in
      construct(host, info, out) { values in
        guard let tau = values.first?.f, tau > 0 else { throw Failure("tau must be positive") }
        return PairLoss(tau: tau)
      }
    }
    $0.destroy = { me in
      if let me { Unmanaged<Instance<PairLoss>>.fromOpaque(me).release() }
    }
    $0.api = UnsafeRawPointer(api)
  })

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
