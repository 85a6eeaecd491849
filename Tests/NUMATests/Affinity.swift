import Glibc
import Testing

/// The cores that the calling thread may run on.
struct Affinity: Equatable {
  /// A cpu_set_t: bit i of the bytes is core i.
  private var bytes = [UInt8](repeating: 0, count: 128)

  private typealias Call = @convention(c) (Int32, Int, UnsafeMutableRawPointer?) -> Int32

  /// Swift's Glibc does not show the two calls.
  private static func call(_ name: String) throws -> Call {
    unsafeBitCast(try #require(dlsym(nil, name)), to: Call.self)
  }

  init() throws {
    let get = try Self.call("sched_getaffinity")
    let status = bytes.withUnsafeMutableBytes { get(0, $0.count, $0.baseAddress) }
    try #require(status == 0)
  }

  init(core: Int) { bytes[core / 8] = 1 << UInt8(core % 8) }

  var first: Int {
    for core in 0..<1024 {
      let bit: UInt8 = 1 << UInt8(core % 8)
      if bytes[core / 8] & bit != 0 { return core }
    }
    return 0
  }

  /// False when the kernel refuses.
  @discardableResult
  func apply() -> Bool {
    var bytes = bytes
    do {
      let set = try Self.call("sched_setaffinity")
      return bytes.withUnsafeMutableBytes { set(0, $0.count, $0.baseAddress) } == 0
    } catch {
      return false
    }
  }
}
