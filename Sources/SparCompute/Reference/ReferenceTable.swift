import CSparPlugin

extension Reference {
  /// Runs a twin as a function of the ABI would: a gap is UNSUPPORTED, and callers may be older
  /// than this host.
  fileprivate static func answer<Args: BitwiseCopyable>(
    _ args: UnsafePointer<Args>?, _ run: (Args) throws(ReferenceGap) -> Void
  ) -> spar_status {
    guard let args else { return spar_status(SPAR_E_INVALID) }
    let size = MemoryLayout<Args>.size
    let adopted = withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { copy in
      spar_adopt(copy.baseAddress, size, args)
      return copy.load(as: Args.self)
    }
    return status { () throws(ReferenceGap) in try run(adopted) }
  }

  fileprivate static func status(_ run: () throws(ReferenceGap) -> Void) -> spar_status {
    do {
      try run()
      return spar_status(SPAR_OK)
    } catch {
      return error.status
    }
  }
}

/// The plain twins as a table of the ABI: whoever compares a backend with them calls both alike.
/// Every operation of the header is there.  Every `self` is ignored.
package func referenceTable() -> spar_backend_api {
  var table = spar_backend_api()
  table.struct_size = UInt64(MemoryLayout<spar_backend_api>.size)
  table.flags = UInt64(SPAR_BE_DETERMINISTIC)
  table.gemm = { Reference.answer($1, Reference.gemm) }
  table.attention = { Reference.answer($1, Reference.attention) }
  table.attention_bwd = { Reference.answer($1, Reference.attentionBackward) }
  table.norm = { Reference.answer($1, Reference.norm) }
  table.norm_bwd = { Reference.answer($1, Reference.normBackward) }
  table.rope = { Reference.answer($1, Reference.rotary) }
  table.softmax = { Reference.answer($1, Reference.softmax) }
  table.softmax_bwd = { Reference.answer($1, Reference.softmaxBackward) }
  table.activation = { Reference.answer($1, Reference.activation) }
  table.activation_bwd = { Reference.answer($1, Reference.activationBackward) }
  table.embed = { Reference.answer($1, Reference.embed) }
  table.embed_bwd = { Reference.answer($1, Reference.embedBackward) }
  table.logp = { Reference.answer($1, Reference.logp) }
  table.logp_bwd = { Reference.answer($1, Reference.logpBackward) }
  table.binary = { Reference.answer($1, Reference.binary) }
  table.reduce = { Reference.answer($1, Reference.reduce) }
  table.copy = { Reference.answer($1, Reference.copy) }
  table.fill = { _, y, value in
    Reference.status { () throws(ReferenceGap) in try Reference.fill(UnsafePointer(y), value) }
  }
  table.linear_logp = { Reference.answer($1, Reference.linearLogp) }
  table.linear_logp_bwd = { Reference.answer($1, Reference.linearLogpBackward) }
  table.optimizer = { Reference.answer($1, Reference.optimizer) }
  table.rel_attention = { Reference.answer($1, Reference.relativeAttention) }
  table.rel_attention_bwd = { Reference.answer($1, Reference.relativeAttentionBackward) }
  return table
}
