import CHDF5

/// An open dataset, for reading and writing by rows: steps of the first axis, each a contiguous run
/// of `rowCount` values. Data pass straight between the file and the caller's memory.
public final class H5Dataset: @unchecked Sendable {  // the id is used under the lock only
  public let name: String
  public let type: H5Type
  /// Current extents; empty for a scalar.
  public private(set) var shape: [Int]
  let file: H5File
  let id: hid_t
  private var context: HDF5Context { file.context }

  /// Takes over an open id.
  init(file: H5File, name: String, id: hid_t) throws(StoreError) {
    self.file = file
    self.name = name
    self.id = id
    let context = file.context
    do throws(StoreError) {
      let stored = try context.check(H5Dget_type(id))
      defer { H5Tclose(stored) }
      guard let known = H5Type(stored: stored) else {
        throw context.error(
          .type(of: name, expected: "numbers or text", found: H5Type.name(stored: stored)))
      }
      type = known
      shape = try Self.shape(of: id, context)
    } catch {
      H5Dclose(id)
      throw error
    }
  }

  deinit {
    _ = HDF5.locked { H5Dclose(id) }
  }

  /// Values in one step of the first axis.
  public var rowCount: Int { shape.dropFirst().reduce(1, *) }
  public var count: Int { shape.reduce(1, *) }

  // MARK: Whole

  public func write<Element: H5Element>(
    _ values: UnsafeBufferPointer<Element>
  ) throws(StoreError) {
    try require(Element.self, count: values.count, of: shape)
    guard let base = values.baseAddress, !values.isEmpty else { return }
    try HDF5.locked { () throws(StoreError) in
      _ = try context.check(H5Dwrite(id, Element.h5Type.native, 0, 0, 0, base))
    }
  }

  public func read<Element: H5Element>(
    into values: UnsafeMutableBufferPointer<Element>
  ) throws(StoreError) {
    try require(Element.self, count: values.count, of: shape)
    guard let base = values.baseAddress, !values.isEmpty else { return }
    try HDF5.locked { () throws(StoreError) in
      _ = try context.check(H5Dread(id, Element.h5Type.native, 0, 0, 0, base))
    }
  }

  // MARK: Bits

  /// Writes values of the dataset's own type as the bytes that they are; nothing is converted.
  public func write(bytes: UnsafeRawBufferPointer) throws(StoreError) {
    try requireBytes(bytes.count)
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    try HDF5.locked { () throws(StoreError) in
      _ = try context.check(H5Dwrite(id, type.native, 0, 0, 0, base))
    }
  }

  /// Reads all values as bytes of the dataset's own type, in the machine's byte order.
  public func read(bytes: UnsafeMutableRawBufferPointer) throws(StoreError) {
    try requireBytes(bytes.count)
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    try HDF5.locked { () throws(StoreError) in
      _ = try context.check(H5Dread(id, type.native, 0, 0, 0, base))
    }
  }

  private func requireBytes(_ count: Int) throws(StoreError) {
    guard type != .string else {
      throw context.error(.type(of: name, expected: "numbers", found: type.rawValue))
    }
    guard count == self.count * type.bytes else {
      throw context.error(
        .shape(of: name, expected: [count / type.bytes], found: shape))
    }
  }

  // MARK: Rows

  /// Writes the rows of a range, which must exist.
  public func write<Element: H5Element>(
    rows: Range<Int>, from values: UnsafeBufferPointer<Element>
  ) throws(StoreError) {
    try transfer(rows, count: values.count, Element.self) { memory, selection in
      H5Dwrite(id, Element.h5Type.native, memory, selection, 0, values.baseAddress)
    }
  }

  public func read<Element: H5Element>(
    rows: Range<Int>, into values: UnsafeMutableBufferPointer<Element>
  ) throws(StoreError) {
    try transfer(rows, count: values.count, Element.self) { memory, selection in
      H5Dread(id, Element.h5Type.native, memory, selection, 0, values.baseAddress)
    }
  }

  /// Adds rows to a growable dataset; `values.count` is a multiple of `rowCount`.
  public func append<Element: H5Element>(
    _ values: UnsafeBufferPointer<Element>
  ) throws(StoreError) {
    try HDF5.locked { () throws(StoreError) in
      guard !shape.isEmpty, values.count % max(rowCount, 1) == 0 else {
        throw context.error(
          .invalid("\(values.count) values are no whole rows of \(name), shape \(shape)"))
      }
      let (old, added) = (shape[0], values.count / max(rowCount, 1))
      var extents = shape.map { hsize_t($0) }
      extents[0] = hsize_t(old + added)
      try context.check(H5Dset_extent(id, extents))
      shape[0] = old + added
      try write(rows: old..<old + added, from: values)
    }
  }

  public func append<Element: H5Element>(_ values: [Element]) throws(StoreError) {
    let result = values.withUnsafeBufferPointer { buffer in
      Result { () throws(StoreError) in try append(buffer) }
    }
    try result.get()
  }

  /// Adds texts to a growable vector of text.
  public func append(texts: [String]) throws(StoreError) {
    guard type == .string, shape.count == 1 else {
      throw context.error(
        .type(of: name, expected: "a vector of text", found: "\(type.rawValue) \(shape)"))
    }
    try HDF5.locked { () throws(StoreError) in
      let (old, added) = (shape[0], texts.count)
      guard added > 0 else { return }
      try context.check(H5Dset_extent(id, [hsize_t(old + added)]))
      shape[0] = old + added
      let selection = try context.check(H5Dget_space(id))
      defer { H5Sclose(selection) }
      try context.check(
        H5Sselect_hyperslab(
          selection, H5S_SELECT_SET, [hsize_t(old)], nil, [hsize_t(added)], nil))
      let memory = try context.check(H5Screate_simple(1, [hsize_t(added)], nil))
      defer { H5Sclose(memory) }
      try H5Strings.write(texts, name: name, context) { type, pointers in
        H5Dwrite(id, type, memory, selection, 0, pointers)
      }
    }
  }

  private func transfer<Element: H5Element>(
    _ rows: Range<Int>, count: Int, _ element: Element.Type,
    _ call: (_ memory: hid_t, _ selection: hid_t) -> herr_t
  ) throws(StoreError) {
    guard let total = shape.first, rows.lowerBound >= 0, rows.upperBound <= total else {
      throw context.error(.invalid("rows \(rows) are not in \(name), shape \(shape)"))
    }
    try require(element, count: count, of: [rows.count] + shape.dropFirst())
    guard count > 0 else { return }
    try HDF5.locked { () throws(StoreError) in
      let selection = try context.check(H5Dget_space(id))
      defer { H5Sclose(selection) }
      var start = [hsize_t](repeating: 0, count: shape.count)
      var extent = shape.map { hsize_t($0) }
      start[0] = hsize_t(rows.lowerBound)
      extent[0] = hsize_t(rows.count)
      try context.check(
        H5Sselect_hyperslab(selection, H5S_SELECT_SET, start, nil, extent, nil))
      let memory = try context.check(H5Screate_simple(Int32(extent.count), extent, nil))
      defer { H5Sclose(memory) }
      try context.check(call(memory, selection))
    }
  }

  private func require<Element: H5Element>(
    _ element: Element.Type, count: Int, of shape: [Int]
  ) throws(StoreError) {
    guard type == Element.h5Type else {
      throw context.error(
        .type(of: name, expected: Element.h5Type.rawValue, found: type.rawValue))
    }
    guard count == shape.reduce(1, *) else {
      throw context.error(.shape(of: name, expected: [count], found: shape))
    }
  }

  static func shape(of dataset: hid_t, _ context: HDF5Context) throws(StoreError) -> [Int] {
    let space = try context.check(H5Dget_space(dataset))
    defer { H5Sclose(space) }
    return try shape(ofSpace: space, context)
  }

  static func shape(ofSpace space: hid_t, _ context: HDF5Context) throws(StoreError) -> [Int] {
    let rank = Int(try context.check(H5Sget_simple_extent_ndims(space)))
    var extents = [hsize_t](repeating: 0, count: rank)
    try context.check(H5Sget_simple_extent_dims(space, &extents, nil))
    // Room for the largest element, so that no later product of these extents can overflow.
    var bytes = 16
    for extent in extents {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: Int(exactly: extent) ?? .max)
      guard !overflow else { throw context.error(.invalid("a shape of \(extents)")) }
      bytes = max(product, 1)
    }
    return extents.map { Int($0) }
  }
}
