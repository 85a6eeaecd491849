import Glibc

/// A whole file, mapped read-only for as long as this object lives.
///
/// The pages are the kernel's file cache: opening costs microseconds, and several processes that
/// read the same weights share the memory. A file that another program shortens while it is mapped
/// ends the process with SIGBUS; Spar itself replaces files by rename only, which is harmless.
final class MappedFile: @unchecked Sendable {  // immutable after init
  let path: String
  let bytes: UnsafeRawBufferPointer

  init(_ path: String) throws(WeightError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw WeightError(path, .system(doing: "opening", errno: errno))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw WeightError(path, .system(doing: "reading the size", errno: errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw WeightError(path, .malformed("not a regular file"))
    }
    let size = Int(status.st_size)
    guard size > 0 else { throw WeightError(path, .malformed("the file is empty")) }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw WeightError(path, .system(doing: "mapping", errno: errno)) }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }
}
