/// Tokens by their bytes: all tokens that begin at one place are found in one walk.
///
/// The edges are a hash table from (node, byte) to node, so building is linear and memory follows
/// the number of edges, whatever the file holds.
struct TokenTrie: Sendable {
  private var edges: [Edge]
  private var mask: Int
  /// ids[node] = the token that ends there, or -1.
  private var ids: [Int32] = [-1]
  /// first[b] = the child of the root by byte b, or 0.
  private var first: [Int32]

  private struct Edge {
    /// node << 8 | byte, or -1 where the slot is free.
    var key: Int
    var node: Int32
  }

  static let root: Int32 = 0

  /// Of two equal tokens the one inserted last is found.
  init(_ vocabulary: TokenTable) {
    edges = [Edge](repeating: Edge(key: -1, node: 0), count: 1024)
    mask = 1023
    first = [Int32](repeating: 0, count: 256)
    for id in 0..<vocabulary.count { insert(vocabulary.bytes(Int32(id)), Int32(id)) }
    for byte in 0..<256 { first[byte] = find(Self.root, UInt8(byte)) }
  }

  private mutating func insert(_ token: ArraySlice<UInt8>, _ id: Int32) {
    guard !token.isEmpty else { return }
    var node = Self.root
    for byte in token {
      let next = find(node, byte)
      if next > 0 {
        node = next
        continue
      }
      if 2 * ids.count > mask { grow() }
      let new = Int32(ids.count)
      ids.append(-1)
      place(Edge(key: Int(node) << 8 | Int(byte), node: new))
      node = new
    }
    ids[Int(node)] = id
  }

  private mutating func grow() {
    let old = edges
    edges = [Edge](repeating: Edge(key: -1, node: 0), count: old.count * 2)
    mask = edges.count - 1
    for edge in old where edge.key >= 0 { place(edge) }
  }

  private mutating func place(_ edge: Edge) {
    var slot = Self.hash(edge.key) & mask
    while edges[slot].key >= 0 { slot = (slot + 1) & mask }
    edges[slot] = edge
  }

  @inline(__always)
  private static func hash(_ key: Int) -> Int {
    Int(truncatingIfNeeded: (UInt64(truncatingIfNeeded: key) &* 0x9E37_79B9_7F4A_7C15) >> 33)
  }

  /// The child of `node` by `byte`; 0 where there is none.
  @inline(__always)
  func find(_ node: Int32, _ byte: UInt8) -> Int32 {
    let key = Int(node) << 8 | Int(byte)
    var slot = Self.hash(key) & mask
    while edges[slot].key >= 0 {
      if edges[slot].key == key { return edges[slot].node }
      slot = (slot + 1) & mask
    }
    return 0
  }

  /// The node that `text` leads to; 0 where nothing begins with it.
  func node(of text: some Sequence<UInt8>) -> Int32 {
    var node = Self.root
    for byte in text {
      node = find(node, byte)
      if node == 0 { return 0 }
    }
    return node
  }

  /// Calls `found` with (end, id) of every token that `text` holds from `start` on, the shortest
  /// first; `node` is where the walk begins.
  @inline(__always)
  func forEachToken(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, node: Int32 = root,
    _ found: (Int, Int32) -> Void
  ) {
    var node = node
    var at = start
    while at < text.count {
      node = node == Self.root ? first[Int(text[at])] : find(node, text[at])
      if node == 0 { return }
      at += 1
      if ids[Int(node)] >= 0 { found(at, ids[Int(node)]) }
    }
  }
}
