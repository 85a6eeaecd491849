import CSparPlugin
import Glibc

/// Memory lent to a plugin in which every block ends at a page that nobody may touch: one byte too
/// far is a crash of the test's own process, at the instruction that did it.
final class GuardedArena {
  private var mappings: [(start: UnsafeMutableRawPointer, bytes: Int)] = []
  private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))

  deinit {
    for mapping in mappings { munmap(mapping.start, mapping.bytes) }
  }

  /// `count` bytes, zero, that end where their mapping ends.
  func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    let page = Self.page
    let usable = (max(count, 1) + page - 1) / page * page
    let start = mmap(
      nil, usable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let start, start != MAP_FAILED, mprotect(start + usable, page, PROT_NONE) == 0 else {
      preconditionFailure("no memory for guard pages: \(systemText(errno))")
    }
    mappings.append((start, usable + page))
    return start + usable - count
  }

  /// Never NULL, also for an empty array, of which no element may be touched.
  func copy<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let copy = bytes(values.count * MemoryLayout<T>.stride).bindMemory(
      to: T.self, capacity: values.count)
    for (i, value) in values.enumerated() { (copy + i).initialize(to: value) }
    return copy
  }

  func copyIfAny<T: BitwiseCopyable>(_ values: [T]?) -> UnsafeMutablePointer<T>? {
    guard let values else { return nil }
    return copy(values)
  }

  func fill<T: BitwiseCopyable>(_ value: T, count: Int) -> UnsafeMutablePointer<T> {
    copy([T](repeating: value, count: count))
  }

  /// NUL-terminated.
  func text(_ text: String) -> UnsafePointer<CChar> { UnsafePointer(copy(Array(text.utf8CString))) }

  /// Counted, not terminated: the byte after it is out of bounds.
  func counted(_ bytes: [UInt8]) -> spar_text {
    let copy = copy(bytes)
    return UnsafeMutableRawPointer(copy).withMemoryRebound(to: CChar.self, capacity: bytes.count) {
      spar_text(p: $0, n: UInt64(bytes.count))
    }
  }

  /// A [grows] struct as a host of that age hands it over.
  func structure<T: BitwiseCopyable>(
    _ value: T, _ age: HostAge, pastSize: Int? = nil
  ) -> UnsafeMutablePointer<T> {
    let whole = MemoryLayout<T>.size
    let size =
      switch age {
      case .present: whole
      case .past: pastSize ?? whole
      case .future: whole + HostAge.growth
      }
    let place = bytes(size)
    memset(place, HostAge.poison, size)
    withUnsafeBytes(of: value) { source in
      if let base = source.baseAddress { memcpy(place, base, min(size, whole)) }
    }
    place.storeBytes(of: UInt64(size), as: UInt64.self)
    return place.assumingMemoryBound(to: T.self)
  }
}

/// How old the host is that a plugin meets.
enum HostAge: String, Sendable {
  case present
  /// Structs as short as revision 0 allows, optional members at the end cut off.
  case past
  /// Structs that have grown by members this plugin cannot know, full of nonsense.
  case future

  static let growth = 64
  static let poison: Int32 = 0xA5
}
