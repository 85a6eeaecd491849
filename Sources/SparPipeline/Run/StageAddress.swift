import SparStore

/// What a stage of a run is, known before anything was computed: the digest of everything that its
/// result depends on, its inputs by their own addresses.
///
/// Two runs whose stages have the same address share its result.  `StageKey` names inputs by what
/// they hold, an address by how they come about; a stored result must fit both.
public struct StageAddress: Hashable, Sendable, Codable, CustomStringConvertible {
  /// generate, rank, train, heldout or evaluate.
  public var stage: String
  /// SHA-256 in hexadecimal.
  public var digest: String

  public init(stage: String, digest: String) {
    self.stage = stage
    self.digest = digest
  }

  init(stage: String, key: StageKey) {
    var key = key
    key["stage"] = stage
    key["format"] = "\(StageStore.format)"
    self.init(stage: stage, digest: key.digest)
  }

  /// Its folder in a store: `generate-0123456789ab`.
  public var folderName: String { "\(stage)-\(digest.prefix(12))" }

  public var description: String { folderName }
}
