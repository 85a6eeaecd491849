import CSparPlugin

extension Reference {
  /// Runs a twin as a function of the ABI would: a gap is UNSUPPORTED.
  fileprivate static func answer<Args>(
    _ args: UnsafePointer<Args>?, _ run: (Args) throws(ReferenceGap) -> Void
  ) -> spar_status {
    guard let args else { return spar_status(SPAR_E_INVALID) }
    do {
      try run(args.pointee)
      return spar_status(SPAR_OK)
    } catch {
      return spar_status(SPAR_UNSUPPORTED)
    }
  }
}

/// The plain twins as a table of the ABI: whoever compares a backend with them calls both alike.
/// Operations without a twin are NULL.  Every `self` is ignored.
package func referenceTable() -> spar_backend_api {
  var table = spar_backend_api()
  table.struct_size = UInt64(MemoryLayout<spar_backend_api>.size)
  table.gemm = { Reference.answer($1, Reference.gemm) }
  table.attention = { Reference.answer($1, Reference.attention) }
  table.attention_bwd = { Reference.answer($1, Reference.attentionBackward) }
  table.norm = { Reference.answer($1, Reference.norm) }
  table.norm_bwd = { Reference.answer($1, Reference.normBackward) }
  table.rope = { Reference.answer($1, Reference.rotary) }
  table.activation = { Reference.answer($1, Reference.activation) }
  table.activation_bwd = { Reference.answer($1, Reference.activationBackward) }
  table.embed = { Reference.answer($1, Reference.embed) }
  table.embed_bwd = { Reference.answer($1, Reference.embedBackward) }
  table.logp = { Reference.answer($1, Reference.logp) }
  table.binary = { Reference.answer($1, Reference.binary) }
  table.reduce = { Reference.answer($1, Reference.reduce) }
  table.linear_logp = { Reference.answer($1, Reference.linearLogp) }
  table.linear_logp_bwd = { Reference.answer($1, Reference.linearLogpBackward) }
  table.optimizer = { Reference.answer($1, Reference.optimizer) }
  return table
}
