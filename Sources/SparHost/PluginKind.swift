import CSparPlugin

/// What a component of a plugin is for.
public enum PluginKind: String, CaseIterable, Sendable, Codable, CustomStringConvertible {
  case objective, ranker, backend, collective

  init?(abi: UInt32) {
    switch Int(abi) {
    case SPAR_KIND_OBJECTIVE: self = .objective
    case SPAR_KIND_RANKER: self = .ranker
    case SPAR_KIND_BACKEND: self = .backend
    case SPAR_KIND_COLLECTIVE: self = .collective
    default: return nil
    }
  }

  public var description: String { rawValue }
}
