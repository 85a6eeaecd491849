import CHDF5

/// What an HDF5 file contains: groups, datasets, attributes, without the data.
public struct HDF5Outline: Sendable, Equatable {
  public struct Dataset: Sendable, Equatable {
    /// As `H5Type`, or another name for types that Spar does not use.
    public var type: String
    public var shape: [Int]
    /// Rows of a chunk, nil for one piece.
    public var chunkRows: Int?
    public var isCompressed: Bool
    /// Bytes in the file.
    public var storedBytes: Int
  }
  public struct Node: Sendable, Equatable {
    /// The last part of the path; `/` for the root.
    public var name: String
    /// nil for a group.
    public var dataset: Dataset?
    public var attributes: [String: AttributeValue]
    public var children: [Node]
  }
  public var path: String
  public var root: Node

  public init(_ path: String) throws(StoreError) {
    let file = try H5File.open(path, doing: "listing")
    self.path = path
    root = try Self.node(file, "/", name: "/", depth: 0)
  }

  /// The nodes below the root by path, such as `answer/ids`.
  public func node(at path: String) -> Node? {
    var current = root
    for part in path.split(separator: "/") {
      guard let next = current.children.first(where: { $0.name == part }) else { return nil }
      current = next
    }
    return current
  }

  /// An indented listing, one line an object or attribute.
  public var text: String {
    var lines = [path]
    Self.render(root, indent: "", into: &lines)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func render(_ node: Node, indent: String, into lines: inout [String]) {
    for (name, value) in node.attributes.sorted(by: { $0.key < $1.key }) {
      let shown = value.description.replacing("\n", with: "\\n")
      lines.append("\(indent)  @\(name) = \(shown.count > 120 ? shown.prefix(120) + "…" : shown)")
    }
    for child in node.children {
      if let dataset = child.dataset {
        let packing =
          dataset.chunkRows.map { ", chunks of \($0)" + (dataset.isCompressed ? ", deflate" : "") }
          ?? ""
        lines.append(
          "\(indent)  \(child.name)  \(dataset.type) \(dataset.shape)  "
            + "\(dataset.storedBytes) bytes\(packing)")
      } else {
        lines.append("\(indent)  \(child.name)/")
      }
      render(child, indent: indent + "  ", into: &lines)
    }
  }

  private static func node(
    _ file: H5File, _ path: String, name: String, depth: Int
  ) throws(StoreError) -> Node {
    let context = file.context
    // Hard links can make a group its own descendant.
    guard depth < 32 else { throw context.error(.invalid("groups nest deeper than 32 at \(path)")) }
    return try HDF5.locked { () throws(StoreError) in
      let object = try context.check(H5Oopen(file.id, path, 0))
      defer { H5Oclose(object) }
      let attributes = try file.attributes(of: path)
      if H5Iget_type(object) == H5I_DATASET {
        return Node(
          name: name, dataset: try describe(object, context), attributes: attributes, children: [])
      }
      var children: [Node] = []
      if H5Iget_type(object) == H5I_GROUP {
        for child in try file.children(of: path) {
          let below = path == "/" ? child : "\(path)/\(child)"
          children.append(try node(file, below, name: child, depth: depth + 1))
        }
      }
      return Node(name: name, dataset: nil, attributes: attributes, children: children)
    }
  }

  private static func describe(
    _ dataset: hid_t, _ context: HDF5Context
  ) throws(StoreError) -> Dataset {
    let type = try context.check(H5Dget_type(dataset))
    defer { H5Tclose(type) }
    let creation = try context.check(H5Dget_create_plist(dataset))
    defer { H5Pclose(creation) }
    let shape = try H5Dataset.shape(of: dataset, context)
    var chunk: [hsize_t] = []
    if H5Pget_layout(creation) == H5D_CHUNKED {
      chunk = [hsize_t](repeating: 0, count: shape.count)
      try context.check(H5Pget_chunk(creation, Int32(chunk.count), &chunk))
    }
    return Dataset(
      type: H5Type.name(stored: type), shape: shape, chunkRows: chunk.first.map { Int($0) },
      isCompressed: try context.check(H5Pget_nfilters(creation)) > 0,
      storedBytes: Int(H5Dget_storage_size(dataset)))
  }
}
