import CSparPlugin
import Foundation
import Synchronization
import Testing

@testable import SparHost

@Suite("Built-in tables and backends") struct BuiltInTests {
  /// Never freed: descriptors are static.
  nonisolated(unsafe) private static let twoBackends: UnsafePointer<spar_plugin> = {
    func make<T>(_ value: T, _ count: Int = 1) -> UnsafeMutablePointer<T> {
      let p = UnsafeMutablePointer<T>.allocate(capacity: count)
      p.initialize(repeating: value, count: count)
      return p
    }
    var table = spar_backend_api()
    table.struct_size = UInt64(MemoryLayout<spar_backend_api>.size)
    table.flags = 5
    var component = spar_component()
    component.struct_size = UInt64(MemoryLayout<spar_component>.size)
    component.kind = UInt32(SPAR_KIND_BACKEND)
    component.name = UnsafePointer(strdup("x"))
    component.doc = component.name
    component.create = { _, info, out in
      out?.pointee = UnsafeMutableRawPointer(bitPattern: Int(info?.pointee.threads ?? 0))
      return 0
    }
    component.destroy = { _ in BuiltInTests.destroyed.add(1, ordering: .relaxed) }
    component.api = UnsafeRawPointer(make(table))
    let components = make(component, 3)
    components[0].id = UnsafePointer(strdup("plain"))
    components[1].id = UnsafePointer(strdup("fast"))
    components[1].probe = { _, score in
      score?.pointee = 200
      return 0
    }
    components[2].id = UnsafePointer(strdup("absent"))
    components[2].probe = { _, score in
      score?.pointee = 300
      return spar_status(SPAR_E_DEVICE)
    }
    var plugin = spar_plugin()
    plugin.struct_size = UInt64(MemoryLayout<spar_plugin>.size)
    plugin.generation = 1
    plugin.id = UnsafePointer(strdup("t.builtin"))
    plugin.name = plugin.id
    plugin.components = UnsafePointer(components)
    plugin.n_components = 3
    return UnsafePointer(make(plugin))
  }()
  private static let destroyed = Atomic<Int>(0)

  @Test("go through the same door as loaded ones; the best probe wins")
  func builtIn() throws {
    let host = PluginHost(search: search(), threads: 1)
    #expect(host.bestBackend()?.id == "reference")
    host.addBuiltIn(Self.twoBackends)
    #expect(host.libraries.map(\.location) == ["built in", "built in"])
    #expect(host.bestBackend()?.id == "fast")
    do {
      let backend = try host.makeBackend("fast", options: [:], threads: 7)
      #expect(backend.api.flags == 5 && backend.api.gemm == nil && backend.name == "fast")
      #expect(backend.instance == UnsafeMutableRawPointer(bitPattern: 7))
    }
    #expect(Self.destroyed.load(ordering: .relaxed) == 1)
    #expect(throws: PluginError.self) { try host.makeBackend("absent", options: [:], threads: 1) }
  }
}
