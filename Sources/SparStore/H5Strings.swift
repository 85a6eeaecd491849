import CHDF5
import Glibc

/// Text between Swift and HDF5, for datasets and attributes alike.
enum H5Strings {
  /// Hands `call` an array of C strings and their type.
  static func write(
    _ values: [String], name: String, _ context: HDF5Context,
    _ call: (_ type: hid_t, _ pointers: UnsafeRawPointer) -> herr_t
  ) throws(StoreError) {
    guard !values.isEmpty else { return }
    for value in values where value.utf8.contains(0) {
      throw context.error(
        .invalid("\(name) contains U+0000, which HDF5 text cannot hold: \(value.prefix(40))"))
    }
    try HDF5.locked { () throws(StoreError) in
      let type = try H5Type.makeString(context)
      defer { H5Tclose(type) }
      let copies = values.map { strdup($0) }
      defer { for copy in copies { free(copy) } }
      let status = copies.withUnsafeBytes { bytes -> herr_t in
        guard let base = bytes.baseAddress else { return 0 }
        return call(type, base)
      }
      try context.check(status)
    }
  }

  /// Reads variable-length text, and text of fixed length such as NumPy's `S10`.
  ///
  /// The caller holds the lock; `call` reads into a buffer in the given type.
  static func read(
    count: Int, stored: hid_t, space: hid_t, name: String, _ context: HDF5Context,
    _ call: (_ type: hid_t, _ buffer: UnsafeMutableRawPointer) -> herr_t
  ) throws(StoreError) -> [String] {
    guard count > 0 else { return [] }
    if try context.check(H5Tis_variable_str(stored)) == 0 {
      return try readFixed(count: count, stored: stored, name: name, context, call)
    }
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count)
    pointers.initialize(repeating: nil, count: count)
    defer { pointers.deallocate() }
    // The stored type names the character set, which must not differ between memory and file.
    try context.check(call(stored, pointers))
    defer { H5Dvlen_reclaim(stored, space, 0, pointers) }
    var texts: [String] = []
    texts.reserveCapacity(count)
    for i in 0..<count {
      guard let pointer = pointers[i] else {
        texts.append("")
        continue
      }
      texts.append(
        try text(UnsafeRawBufferPointer(start: pointer, count: strlen(pointer)), name, context))
    }
    return texts
  }

  private static func readFixed(
    count: Int, stored: hid_t, name: String, _ context: HDF5Context,
    _ call: (_ type: hid_t, _ buffer: UnsafeMutableRawPointer) -> herr_t
  ) throws(StoreError) -> [String] {
    let size = H5Tget_size(stored)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size * count, alignment: 8)
    defer { buffer.deallocate() }
    guard let base = buffer.baseAddress else { return [] }
    try context.check(call(stored, base))
    var texts: [String] = []
    for i in 0..<count {
      let field = buffer[(i * size)..<((i + 1) * size)].prefix { $0 != 0 }
      texts.append(try text(UnsafeRawBufferPointer(rebasing: field), name, context))
    }
    return texts
  }

  private static func text(
    _ bytes: UnsafeRawBufferPointer, _ name: String, _ context: HDF5Context
  ) throws(StoreError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw context.error(.invalid("\(name) holds text that is not UTF-8"))
    }
    return text
  }
}
