import CSparPlugin
import SparCompute

/// One line of what a backend says about where its threads and memory are.
public struct PlacementRow: Codable, Equatable, Sendable {
  /// "nodes", "node", "bandwidth", "pages": may repeat.
  public var key: String
  public var text: String
}

extension Backend {
  /// What the backend says through "spar.placement/1"; empty for one without that extension.
  ///
  /// `measured`: it also times memory, which takes a second or two.
  public func placement(measured: Bool) throws(PluginError) -> [PlacementRow] {
    guard let created = owner as? BackendInstance, let lookup = created.component.raw.`extension`,
      let table = lookup(instance, SPAR_PLACEMENT_EXT)
    else { return [] }
    let adopted = adopt(table, as: spar_placement_ext.self)
    guard let describe = adopted.describe else { return [] }
    var rows: [PlacementRow] = []
    try withUnsafeMutablePointer(to: &rows) { (rows) throws(PluginError) in
      try check(created.component, "describe placement") {
        describe(
          instance, measured ? UInt64(SPAR_PLACEMENT_MEASURE) : 0,
          { rows, key, text in
            guard let rows, let key, let text else { return }
            rows.assumingMemoryBound(to: [PlacementRow].self).pointee.append(
              PlacementRow(key: String(cString: key), text: String(cString: text)))
          }, rows)
      }
    }
    return rows
  }
}
