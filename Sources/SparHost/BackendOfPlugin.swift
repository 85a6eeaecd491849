import SparCompute

extension Backend {
  /// The operations of a created backend plugin, the reference filling its gaps.
  public convenience init(_ created: BackendInstance) {
    self.init(
      api: created.api, instance: created.instance, name: created.name, owner: created,
      errorText: { ThreadErrorText.take() })
  }
}

extension PluginHost {
  /// The backend called `id`, or the best that works here; `threads` is its budget.
  public func backend(
    _ id: String? = nil, options: [String: String] = [:], threads: Int
  ) throws(PluginError) -> Backend {
    Backend(
      try makeBackend(id ?? bestBackend()?.id ?? "reference", options: options, threads: threads))
  }
}
