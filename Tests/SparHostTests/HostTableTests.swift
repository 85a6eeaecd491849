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
