import CSparPlugin
import SparCompute

extension Backend {
  /// The operations of a created backend plugin; `host` lends its threads to the fallbacks that
  /// fill the gaps.  The built-in reference has none: it is the plain twins, and stays so.
  public convenience init(_ created: BackendInstance, host: UnsafePointer<spar_host>? = nil) {
    let isReference = created.component.raw.api == UnsafeRawPointer(ReferenceBackend.api)
    self.init(
      api: created.api, instance: created.instance, name: created.name,
      loops: isReference ? nil : ParallelLoops(host: host), owner: created,
      errorText: { ThreadErrorText.take() })
  }
}

extension PluginHost {
  /// The backend called `id`, or the best that works here; `threads` is its budget.
  public func backend(
    _ id: String? = nil, options: [String: String] = [:], threads: Int
  ) throws(PluginError) -> Backend {
    Backend(
      try makeBackend(id ?? bestBackend()?.id ?? "reference", options: options, threads: threads),
      host: context.table)
  }
}
