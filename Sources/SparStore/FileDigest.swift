import Glibc

/// SHA-256 of a file's bytes, in lower-case hexadecimal.
public func fileDigest(_ path: String) throws(StoreError) -> String {
  let context = HDF5Context(path: path, doing: "computing the digest of")
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw context.error(.system(errno)) }
  defer { close(descriptor) }
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
  defer { buffer.deallocate() }
  var digest = SHA256()
  while true {
    let count = read(descriptor, buffer.baseAddress, buffer.count)
    if count < 0 {
      if errno == EINTR { continue }
      throw context.error(.system(errno))
    }
    if count == 0 { return digest.hexDigest() }
    digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}
