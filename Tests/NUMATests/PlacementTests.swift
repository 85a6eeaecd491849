import CSparPlugin
import SparCompute
import SparHost
import SparTensor
import Testing

@Suite("NUMA: placement and its absence", .serialized) struct PlacementTests {
  func rows(_ backend: Backend, _ key: String) throws -> [String] {
    try backend.placement(measured: false).filter { $0.key == key }.map(\.text)
  }

  @Test("two fake nodes have a team each, and hold large tensors")
  func fake() throws {
    let backend = try backend("numa", ["fake-nodes": "2"])
    let weight = backend.tensor([512, 256], use: .weights)
    #expect(weight.c.buffer != nil)
    #expect(weight.array().allSatisfy { $0 == 0 }, "fresh pages are zero")
    let view = weight.rows(256..<512).c
    #expect(view.buffer == weight.c.buffer && view.offset == 256 * 256 * 4)
    #expect(try rows(backend, "nodes")[0].hasPrefix("2 fake nodes of"))
    #expect(try rows(backend, "node").count == 2)
    #expect(try rows(backend, "placement")[0].hasPrefix("split by rows"))
    let pages = try rows(backend, "pages")
    #expect(pages.count == 1 && pages[0].hasPrefix("weights: 0.5 MB in 1 buffer,"), "\(pages)")
  }

  @Test("a tensor of a few rows stays in the host's memory")
  func small() throws {
    let backend = try backend("numa", ["fake-nodes": "2"])
    #expect(backend.tensor([576], use: .weights).c.buffer == nil)
  }

  @Test(
    "where there is nothing to place there is one team, which says why",
    arguments: [
      (["placement": "off", "fake-nodes": "2"], "placement is off"),
      (["nodes": "1", "fake-nodes": "2"], "one node was asked for"),
      (["threads": "1", "fake-nodes": "2"], "there is one thread"),
    ])
  func oneTeam(options: [String: String], reason: String) throws {
    let backend = try backend("numa", options)
    #expect(backend.tensor([512, 256], use: .weights).c.buffer == nil)
    let text = try rows(backend, "nodes")[0]
    #expect(text.hasPrefix("one team of") && text.contains(reason), "\(text)")
    #expect(try rows(backend, "pages").isEmpty)
  }

  @Test("a process tied to one core keeps to it")
  func affinity() throws {
    let before = try Affinity()
    defer { before.apply() }
    let core = before.first
    try #require(Affinity(core: core).apply())
    let backend = try backend("numa", ["fake-nodes": "2"])
    for node in try rows(backend, "node") {
      #expect(node.contains(": cores \(core), "), "\(node)")
    }
    let c = backend.tensor([96, 320])
    try backend.gemm(
      backend.zeros([96, 128]), backend.zeros([320, 128], use: .weights), into: c,
      transposeB: true)
    #expect(c.array().allSatisfy { $0 == 0 })
  }

  @Test("the host's thread may run where it might before")
  func host() throws {
    let before = try Affinity()
    let backend = try backend("numa", ["fake-nodes": "2"])
    let x = backend.zeros([300, 64])
    for _ in 0..<20 { try backend.add(x, x, into: x) }
    #expect(try Affinity() == before)
  }

  @Test(
    "options that cannot be are errors",
    arguments: [("fake-nodes", "9"), ("placement", "stripe"), ("nodes", "-1"), ("node", "2")])
  func options(name: String, value: String) {
    #expect(throws: PluginError.self) { try backend("numa", [name: value]) }
  }

  @Test("a backend without the extension says nothing")
  func silent() throws {
    #expect(try backend("openblas").placement(measured: true).isEmpty)
    #expect(try Backend.reference().placement(measured: true).isEmpty)
  }

  @Test("measured rates are those of a memory")
  func rates() throws {
    let backend = try backend("numa", ["fake-nodes": "2"])
    let lines = try backend.placement(measured: true).filter { $0.key == "bandwidth" }
    #expect(lines.count == 2)
    for line in lines {
      let rates = line.text.split(separator: " ").compactMap { Double($0) }.filter { $0 > 1 }
      #expect(!rates.isEmpty && rates.allSatisfy { $0 < 2000 }, "\(line)")
    }
  }
}
