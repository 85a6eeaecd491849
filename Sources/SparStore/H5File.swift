import CHDF5
import Glibc

/// An open HDF5 file. Objects are named by paths such as `answer/ids`; groups on the way are made
/// as needed. Safe to use from several threads; calls are serialised by the library's lock.
///
/// To make a file that appears whole or not at all, use `H5File.write(to:doing:_:)`.
public final class H5File: @unchecked Sendable {  // the id is used under the lock only
  public let path: String
  let id: hid_t
  let context: HDF5Context
  /// Size of a file that was opened for reading.
  let fileBytes: Int?
  private var isOpen = true

  private init(id: hid_t, context: HDF5Context, fileBytes: Int?) {
    path = context.path
    self.id = id
    self.context = context
    self.fileBytes = fileBytes
  }

  /// Creates or replaces a file in place.
  public static func create(
    _ path: String, doing: String = "writing"
  ) throws(StoreError) -> H5File {
    let context = HDF5Context(path: path, doing: doing)
    return try HDF5.locked { () throws(StoreError) in
      let creation = try context.check(H5Pcreate(spar_h5_file_create()))
      defer { H5Pclose(creation) }
      try keepOrder(creation, context)
      let id = try context.check(H5Fcreate(path, spar_h5_truncate(), creation, 0))
      return H5File(id: id, context: context, fileBytes: nil)
    }
  }

  /// Opens a file for reading.
  public static func open(
    _ path: String, doing: String = "reading"
  ) throws(StoreError) -> H5File {
    let context = HDF5Context(path: path, doing: doing)
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)  // the system says why more plainly
    guard descriptor >= 0 else { throw context.error(.system(errno)) }
    let size = lseek(descriptor, 0, SEEK_END)
    Glibc.close(descriptor)
    return try HDF5.locked { () throws(StoreError) in
      let access = try context.check(H5Pcreate(spar_h5_file_access()))
      defer { H5Pclose(access) }
      // A file appears whole and is never written again, so a lock protects nobody; and a process
      // that was started while it was written may hold the writer's lock for a moment.
      try context.check(H5Pset_file_locking(access, false, true))
      let id = try context.check(H5Fopen(path, spar_h5_read_only(), access))
      return H5File(id: id, context: context, fileBytes: size)
    }
  }

  /// Writes a file atomically: `body` fills it under a temporary name; see `AtomicFile`.
  public static func write(
    to path: String, doing: String = "writing", _ body: (H5File) throws -> Void
  ) throws {
    try AtomicFile.write(to: path, doing: doing) { temporary in
      let file = try create(temporary, doing: doing)
      do {
        try body(file)
        try file.close()
      } catch {
        file.abandon()
        throw error
      }
    }
  }

  /// Writes everything to the system.
  public func flush() throws(StoreError) {
    _ = try HDF5.locked { () throws(StoreError) in
      try context.check(H5Fflush(id, H5F_SCOPE_GLOBAL))
    }
  }

  /// Flushes and closes. Datasets of this file that still live stay readable.
  public func close() throws(StoreError) {
    try HDF5.locked { () throws(StoreError) in
      guard isOpen else { return }
      try context.check(H5Fflush(id, H5F_SCOPE_GLOBAL))
      isOpen = false
      try context.check(H5Fclose(id))
    }
  }

  /// Closes without a word, after an error that is reported already.
  private func abandon() {
    HDF5.locked {
      guard isOpen else { return }
      isOpen = false
      H5Fclose(id)
    }
  }

  deinit { abandon() }

  // MARK: Groups

  public func createGroup(_ name: String) throws(StoreError) {
    try HDF5.locked { () throws(StoreError) in
      let creation = try context.check(H5Pcreate(spar_h5_group_create()))
      defer { H5Pclose(creation) }
      try Self.keepOrder(creation, context)
      let links = try makeLinkProperties()
      defer { H5Pclose(links) }
      let group = try context.check(H5Gcreate2(id, name, links, creation, 0))
      try context.check(H5Gclose(group))
    }
  }

  public func exists(_ name: String) throws(StoreError) -> Bool {
    try HDF5.locked { () throws(StoreError) in
      var prefix = ""  // the library asks only whether the last link exists
      for part in name.split(separator: "/") {
        prefix += prefix.isEmpty ? String(part) : "/\(part)"
        if try context.check(H5Lexists(id, prefix, 0)) == 0 { return false }
      }
      return true
    }
  }

  func requireObject(_ name: String) throws(StoreError) {
    if name == "/" { return }
    guard try exists(name) else { throw context.error(.absent(name)) }
  }

  /// Names in a group, in the order in which they were made where the file knows it, else sorted.
  public func children(of group: String = "/") throws(StoreError) -> [String] {
    try HDF5.locked { () throws(StoreError) in
      try requireObject(group)
      let handle = try context.check(H5Gopen2(id, group, 0))
      defer { H5Gclose(handle) }
      var info = H5G_info_t()
      try context.check(H5Gget_info(handle, &info))
      let order = try creationOrder(of: handle)
      var names: [String] = []
      for index in 0..<info.nlinks {
        let length = try context.check(
          H5Lget_name_by_idx(handle, ".", order, H5_ITER_INC, index, nil, 0, 0))
        let bytes = try withBuffer(length + 1) { (buffer: UnsafeMutablePointer<CChar>) in
          H5Lget_name_by_idx(handle, ".", order, H5_ITER_INC, index, buffer, length + 1, 0)
        }
        names.append(
          String(decoding: bytes.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self))
      }
      return names
    }
  }

  private func withBuffer(
    _ count: Int, _ fill: (UnsafeMutablePointer<CChar>) -> Int
  ) throws(StoreError) -> [CChar] {
    let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: count)
    defer { buffer.deallocate() }
    buffer.initialize(repeating: 0, count: count)
    try context.check(fill(buffer))
    return Array(UnsafeBufferPointer(start: buffer, count: count))
  }

  private func creationOrder(of group: hid_t) throws(StoreError) -> H5_index_t {
    let creation = try context.check(H5Gget_create_plist(group))
    defer { H5Pclose(creation) }
    var flags: UInt32 = 0
    try context.check(H5Pget_link_creation_order(creation, &flags))
    return flags & UInt32(H5P_CRT_ORDER_INDEXED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME
  }

  /// Links in the order of their making, and no times: equal content is equal bytes.
  private static func keepOrder(_ creation: hid_t, _ context: HDF5Context) throws(StoreError) {
    try context.check(H5Pset_obj_track_times(creation, false))
    try context.check(
      H5Pset_link_creation_order(
        creation, UInt32(H5P_CRT_ORDER_TRACKED) | UInt32(H5P_CRT_ORDER_INDEXED)))
  }

  /// UTF-8 names, groups on the way made as needed; to be closed by the caller.
  func makeLinkProperties() throws(StoreError) -> hid_t {
    let links = try context.check(H5Pcreate(spar_h5_link_create()))
    try context.check(H5Pset_create_intermediate_group(links, 1))
    try context.check(H5Pset_char_encoding(links, H5T_CSET_UTF8))
    return links
  }
}
