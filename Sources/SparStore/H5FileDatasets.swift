import CHDF5

/// Making, opening, and whole-array transfer of datasets.
extension H5File {
  /// - Parameter shape: empty for a scalar.
  public func createDataset(
    _ name: String, _ type: H5Type, shape: [Int], layout: H5Layout = .contiguous
  ) throws(StoreError) -> H5Dataset {
    try HDF5.locked { () throws(StoreError) in
      let space = try makeSpace(shape, growable: layout.growable)
      defer { H5Sclose(space) }
      let stored = type == .string ? try H5Type.makeString(context) : type.native
      defer { if type == .string { H5Tclose(stored) } }
      let creation = try context.check(H5Pcreate(spar_h5_dataset_create()))
      defer { H5Pclose(creation) }
      // Equal content is equal bytes: a digest must not depend on when a file was written.
      try context.check(H5Pset_obj_track_times(creation, false))
      if let rows = layout.chunkRows {
        var chunk = shape.map { hsize_t(max($0, 1)) }
        guard !chunk.isEmpty else {
          throw context.error(.invalid("a scalar has no chunks: \(name)"))
        }
        chunk[0] = hsize_t(rows)
        try context.check(H5Pset_chunk(creation, Int32(chunk.count), chunk))
        if let level = layout.deflate {
          try context.check(H5Pset_shuffle(creation))
          try context.check(H5Pset_deflate(creation, UInt32(level)))
        }
      }
      let links = try makeLinkProperties()
      defer { H5Pclose(links) }
      let dataset = try context.check(H5Dcreate2(id, name, stored, space, links, creation, 0))
      return try H5Dataset(file: self, name: name, id: dataset)
    }
  }

  public func dataset(_ name: String) throws(StoreError) -> H5Dataset {
    try HDF5.locked { () throws(StoreError) in
      guard try exists(name) else { throw context.error(.absent("dataset \(name)")) }
      let dataset = try H5Dataset(file: self, name: name, id: context.check(H5Dopen2(id, name, 0)))
      // Deflate packs at most 1032 to 1; a damaged shape must not ask for all the memory there is.
      if let fileBytes, dataset.count / 2048 > fileBytes {
        throw context.error(
          .invalid("\(name) of shape \(dataset.shape) cannot fit a file of \(fileBytes) bytes"))
      }
      return dataset
    }
  }

  // MARK: Numbers

  /// - Parameter shape: nil for a vector.
  public func write<Element: H5Element>(
    _ name: String, _ values: [Element], shape: [Int]? = nil, layout: H5Layout = .contiguous
  ) throws(StoreError) {
    let result = values.withUnsafeBufferPointer { buffer in
      Result { () throws(StoreError) in
        try write(name, buffer, shape: shape ?? [values.count], layout: layout)
      }
    }
    try result.get()
  }

  public func write<Element: H5Element>(
    _ name: String, _ values: UnsafeBufferPointer<Element>, shape: [Int],
    layout: H5Layout = .contiguous
  ) throws(StoreError) {
    try createDataset(name, Element.h5Type, shape: shape, layout: layout).write(values)
  }

  /// All values, row-major.
  ///
  /// - Parameter shape: what the shape must be; -1 admits any extent. nil admits any shape.
  public func read<Element: H5Element>(
    _ name: String, as element: Element.Type = Element.self, shape: [Int]? = nil
  ) throws(StoreError) -> [Element] {
    let dataset = try dataset(name)
    try requireShape(dataset, shape)
    guard dataset.type == Element.h5Type else {
      throw context.error(
        .type(of: name, expected: Element.h5Type.rawValue, found: dataset.type.rawValue))
    }
    do {
      return try [Element](unsafeUninitializedCapacity: dataset.count) { buffer, initialized in
        try dataset.read(into: UnsafeMutableBufferPointer(rebasing: buffer[..<dataset.count]))
        initialized = dataset.count
      }
    } catch {
      throw error as? StoreError ?? context.error(.invalid("\(error)"))
    }
  }

  // MARK: Text

  /// Text must not contain U+0000: the format ends strings there.
  public func writeStrings(
    _ name: String, _ values: [String], shape: [Int]? = nil
  ) throws(StoreError) {
    let dataset = try createDataset(name, .string, shape: shape ?? [values.count])
    guard dataset.count == values.count else {
      throw context.error(.shape(of: name, expected: [values.count], found: dataset.shape))
    }
    try H5Strings.write(values, name: name, context) { type, pointers in
      H5Dwrite(dataset.id, type, 0, 0, 0, pointers)
    }
  }

  public func readStrings(_ name: String, shape: [Int]? = nil) throws(StoreError) -> [String] {
    let dataset = try dataset(name)
    try requireShape(dataset, shape)
    guard dataset.type == .string else {
      throw context.error(.type(of: name, expected: "string", found: dataset.type.rawValue))
    }
    return try HDF5.locked { () throws(StoreError) in
      let stored = try context.check(H5Dget_type(dataset.id))
      defer { H5Tclose(stored) }
      let space = try context.check(H5Dget_space(dataset.id))
      defer { H5Sclose(space) }
      return try H5Strings.read(
        count: dataset.count, stored: stored, space: space, name: name, context
      ) { type, buffer in H5Dread(dataset.id, type, 0, 0, 0, buffer) }
    }
  }

  /// One text as a scalar dataset; for long ones, which attributes are not made for.
  public func writeString(_ name: String, _ value: String) throws(StoreError) {
    try writeStrings(name, [value], shape: [])
  }

  public func readString(_ name: String) throws(StoreError) -> String {
    guard let text = try readStrings(name, shape: []).first else {
      throw context.error(.absent("text in \(name)"))
    }
    return text
  }

  // MARK: Shapes

  func makeSpace(_ shape: [Int], growable: Bool = false) throws(StoreError) -> hid_t {
    guard !shape.isEmpty else { return try context.check(H5Screate(H5S_SCALAR)) }
    guard shape.allSatisfy({ $0 >= 0 }) else { throw context.error(.invalid("shape \(shape)")) }
    let extents = shape.map { hsize_t($0) }
    var limits = extents
    if growable { limits[0] = spar_h5_unlimited() }
    return try context.check(H5Screate_simple(Int32(extents.count), extents, limits))
  }

  private func requireShape(_ dataset: H5Dataset, _ expected: [Int]?) throws(StoreError) {
    guard let expected else { return }
    guard dataset.shape.count == expected.count,
      zip(dataset.shape, expected).allSatisfy({ $1 == -1 || $0 == $1 })
    else {
      throw context.error(.shape(of: dataset.name, expected: expected, found: dataset.shape))
    }
  }
}
