/// What kind of file of Spar an HDF5 file is: the root attributes `schema` and `schema_version`.
public struct H5Schema: Sendable, Equatable {
  public var name: String
  public var version: Int

  public init(name: String, version: Int) {
    self.name = name
    self.version = version
  }

  static let attributeNames: Set<String> = ["schema", "schema_version"]
}

extension H5File {
  func stamp(_ schema: H5Schema) throws(StoreError) {
    try setAttribute("schema", .string(schema.name))
    try setAttribute("schema_version", .int(Int64(schema.version)))
  }

  /// The schema of the file; nil for an HDF5 file that is not Spar's.
  public func schema() throws(StoreError) -> H5Schema? {
    guard case .string(let name)? = try attribute("schema"),
      case .int(let version)? = try attribute("schema_version")
    else { return nil }
    return H5Schema(name: name, version: Int(version))
  }

  /// The root attribute `K`, bounded so that n·K² fits an `Int`.
  func answersPerPrompt() throws(StoreError) -> Int {
    let stored = try int("K")
    guard (1...4096).contains(stored) else {
      throw context.error(.invalid("K is \(stored), not in 1...4096"))
    }
    return Int(stored)
  }

  /// - Throws: an error that names what was found and what this build reads.
  func require(_ supported: H5Schema) throws(StoreError) {
    let found = try schema()
    guard found == supported else {
      throw context.error(
        .schema(
          found: found.map { "\($0.name) version \($0.version)" } ?? "no schema attribute",
          supported: "\(supported.name) version \(supported.version)"))
    }
  }
}
