import CSparPlugin
import Foundation
import Synchronization
import Testing

@testable import SparHost

@Suite("What plugins may ask of the host") struct HostTableTests {
  private func context(
    threads: Int = 2, log: @escaping @Sendable (PluginLogLevel, String) -> Void = { _, _ in }
  ) -> HostContext {
    HostContext(threads: threads, cacheDirectory: nil, log: log)
  }

  @Test("memory comes aligned", arguments: [1, 64, 4096] as [UInt64])
  func memory(align: UInt64) throws {
    let table = context().table
    let block = try #require(table.pointee.alloc(table, 1000, align))
    #expect(UInt(bitPattern: block) % UInt(align) == 0)
    table.pointee.free(table, block, 1000, align)
    #expect(table.pointee.alloc(table, 1 << 62, 64) == nil)
  }

  @Test("a parallel loop covers its range once, in slices of the grain")
  func parallelFor() {
    let table = context().table
    var slices = [Int64](repeating: -1, count: 10)
    slices.withUnsafeMutableBufferPointer { slices in
      table.pointee.parallel_for(
        table, 95, 10,
        { argument, begin, end, _ in
          let slices = argument?.assumingMemoryBound(to: Int64.self)
          slices?[Int(begin / 10)] = end - begin
        }, slices.baseAddress)
    }
    #expect(slices == .init(repeating: 10, count: 9) + [5])
  }

  @Test("logs, extensions, threads and cancellation pass through")
  func services() {
    let lines = Box()
    let host = PluginHost(search: search(), threads: 3) { level, text in
      lines.add("\(level): \(text)")
    }
    let table = host.context.table
    table.pointee.log(table, Int32(SPAR_LOG_WARN), "careful")
    #expect(lines.all == ["warning: careful"])
    #expect(table.pointee.thread_count(table) == 3)
    #expect(table.pointee.extension(table, "x/1") == nil)
    let pointer = UnsafeRawPointer(table)
    host.register(extension: "x/1", pointer)
    #expect(table.pointee.extension(table, "x/1") == pointer)
    #expect(table.pointee.cancelled(table) == 0)
    host.cancelled = true
    #expect(table.pointee.cancelled(table) == 1)
  }

  @Test("error texts belong to their thread and are taken once")
  func errors() async {
    ThreadErrorText.set("mine")
    await withCheckedContinuation { done in
      Thread.detachNewThread {
        #expect(ThreadErrorText.take() == nil)
        ThreadErrorText.set("theirs")
        done.resume()
      }
    }
    ThreadErrorText.set("mine")
    #expect(ThreadErrorText.take() == "mine")
    #expect(ThreadErrorText.take() == nil)
  }

  private final class Box: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
  }
}

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
    #expect(host.bestBackend() == nil)
    host.addBuiltIn(Self.twoBackends)
    #expect(host.libraries.map(\.location) == ["built in"])
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

@Suite("Listings") struct ListingTests {
  @Test("show every component as text and as JSON")
  func list() throws {
    let listing = PluginListing(try builtHost())
    #expect(
      listing.components.map(\.id) == [
        "dpo", "gpo", "sppo", "sppo-hard", "sppo-single", "length", "likelihood",
      ] || listing.components.count > 7)
    let text = listing.description
    #expect(text.contains("objective  sppo-single  0.1.0"))
    let json = String(decoding: try JSONEncoder().encode(listing), as: UTF8.self)
    #expect(json.contains("\"id\":\"gpo\"") && json.contains("\"origin\":\"beside the program\""))
  }

  @Test("describe options with type, range, default and help")
  func info() throws {
    let info = PluginInfo(try builtHost().component(.objective, "dpo"))
    let lines = info.description.split(separator: "\n").map(String.init)
    #expect(
      lines.contains {
        $0.contains("label-smoothing  a number from 0 to 0.5") && $0.contains("default 0.0")
      }, "\(info)")
    let json = String(decoding: try JSONEncoder().encode(info), as: UTF8.self)
    #expect(json.contains("\"maximum\":0.5") && json.contains("\"type\":\"float\""))
  }
}
