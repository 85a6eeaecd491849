/// What only some rankings have: failures, truncations, the parts of a mix.
extension PreferencesFile {
  static func writeRarities(_ table: PreferenceTable, _ file: H5File) throws {
    let (n, K) = (table.count, table.K)
    try file.setAttribute("failed_pairs", .int(Int64(table.failed.count { $0 != 0 } / 2)))
    try file.setAttribute("truncated_answers", .int(Int64(table.truncated.count { $0 != 0 })))
    if !table.failed.isEmpty { try file.write("failed", table.failed, shape: [n, K, K]) }
    if !table.truncated.isEmpty { try file.write("truncated", table.truncated, shape: [n, K]) }
    guard !table.components.isEmpty else { return }
    try file.writeStrings("component/name", table.components.map(\.name))
    try file.write("component/weight", table.components.map(\.weight))
    try file.write(
      "component/raw", table.componentRaw, shape: [n, table.components.count, K, K])
  }

  static func readRarities(_ table: inout PreferenceTable, _ file: H5File) throws(StoreError) {
    let (n, K) = (table.count, table.K)
    if try file.exists("failed") { table.failed = try file.read("failed", shape: [n, K, K]) }
    if try file.exists("truncated") { table.truncated = try file.read("truncated", shape: [n, K]) }
    guard try file.exists("component/raw") else { return }
    let names = try file.readStrings("component/name")
    let weights = try file.read("component/weight", as: Double.self, shape: [names.count])
    table.components = zip(names, weights).map { .init(name: $0, weight: $1) }
    table.componentRaw = try file.read("component/raw", shape: [n, names.count, K, K])
  }
}
