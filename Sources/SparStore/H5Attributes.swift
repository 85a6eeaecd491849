import CHDF5

/// Attributes of the file (`/`), its groups and its datasets.
extension H5File {
  public func setAttribute(
    _ name: String, _ value: AttributeValue, on object: String = "/"
  ) throws(StoreError) {
    switch value {
    case .int(let number): try write(name, [number], shape: [], on: object)
    case .unsigned(let number): try write(name, [number], shape: [], on: object)
    case .double(let number): try write(name, [number], shape: [], on: object)
    case .ints(let numbers): try write(name, numbers, shape: [numbers.count], on: object)
    case .doubles(let numbers): try write(name, numbers, shape: [numbers.count], on: object)
    case .string(let text): try writeText(name, [text], shape: [], on: object)
    case .strings(let texts): try writeText(name, texts, shape: [texts.count], on: object)
    case .other(let type):
      throw context.error(.invalid("attribute \(name) of type \(type) cannot be written"))
    }
  }

  /// Sets several, in order of their names.
  public func setAttributes(
    _ values: [String: AttributeValue], on object: String = "/"
  ) throws(StoreError) {
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      try setAttribute(name, value, on: object)
    }
  }

  /// nil when the object has no such attribute.
  public func attribute(
    _ name: String, on object: String = "/"
  ) throws(StoreError) -> AttributeValue? {
    try withObject(object) { (owner: hid_t) throws(StoreError) in
      guard try context.check(H5Aexists(owner, name)) > 0 else { return nil }
      let attribute = try context.check(H5Aopen(owner, name, 0))
      defer { H5Aclose(attribute) }
      return try value(of: attribute, name)
    }
  }

  public func attributes(of object: String = "/") throws(StoreError) -> [String: AttributeValue] {
    try withObject(object) { (owner: hid_t) throws(StoreError) in
      var found: [String: AttributeValue] = [:]
      let count = try context.check(H5Aget_num_attrs(owner))
      for index in 0..<count {
        let attribute = try context.check(
          H5Aopen_by_idx(owner, ".", H5_INDEX_NAME, H5_ITER_INC, hsize_t(index), 0, 0))
        defer { H5Aclose(attribute) }
        let length = try context.check(H5Aget_name(attribute, 0, nil))
        var bytes = [CChar](repeating: 0, count: length + 1)
        try context.check(H5Aget_name(attribute, bytes.count, &bytes))
        let name = String(
          decoding: bytes.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
        found[name] = try value(of: attribute, name)
      }
      return found
    }
  }

  // MARK: Typed

  public func int(_ name: String, on object: String = "/") throws(StoreError) -> Int64 {
    switch try attribute(name, on: object) {
    case .int(let value)?: value
    case let other: throw mismatch(name, "an integer", other)
    }
  }

  public func unsigned(_ name: String, on object: String = "/") throws(StoreError) -> UInt64 {
    switch try attribute(name, on: object) {
    case .unsigned(let value)?: value
    case .int(let value)? where value >= 0: UInt64(value)
    case let other: throw mismatch(name, "an unsigned integer", other)
    }
  }

  public func double(_ name: String, on object: String = "/") throws(StoreError) -> Double {
    switch try attribute(name, on: object) {
    case .double(let value)?: value
    case let other: throw mismatch(name, "a number", other)
    }
  }

  public func string(_ name: String, on object: String = "/") throws(StoreError) -> String {
    switch try attribute(name, on: object) {
    case .string(let value)?: value
    case let other: throw mismatch(name, "text", other)
    }
  }

  private func mismatch(
    _ name: String, _ expected: String, _ found: AttributeValue?
  ) -> StoreError {
    guard let found else { return context.error(.absent("attribute \(name)")) }
    return context.error(
      .type(of: "attribute \(name)", expected: expected, found: found.description))
  }

  // MARK: Raw

  private func withObject<Result>(
    _ object: String, _ body: (hid_t) throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    try HDF5.locked { () throws(StoreError) in
      try requireObject(object)
      let owner = try context.check(H5Oopen(id, object, 0))
      defer { H5Oclose(owner) }
      return try body(owner)
    }
  }

  private func create(
    _ name: String, type: hid_t, shape: [Int], on owner: hid_t
  ) throws(StoreError) -> hid_t {
    if try context.check(H5Aexists(owner, name)) > 0 {
      try context.check(H5Adelete(owner, name))
    }
    let space = try makeSpace(shape)
    defer { H5Sclose(space) }
    return try context.check(H5Acreate2(owner, name, type, space, 0, 0))
  }

  private func write<Element: H5Element>(
    _ name: String, _ values: [Element], shape: [Int], on object: String
  ) throws(StoreError) {
    try withObject(object) { (owner: hid_t) throws(StoreError) in
      let type = Element.h5Type.native
      let attribute = try create(name, type: type, shape: shape, on: owner)
      defer { H5Aclose(attribute) }
      guard !values.isEmpty else { return }
      try context.check(H5Awrite(attribute, type, values))
    }
  }

  private func writeText(
    _ name: String, _ values: [String], shape: [Int], on object: String
  ) throws(StoreError) {
    try withObject(object) { (owner: hid_t) throws(StoreError) in
      let type = try H5Type.makeString(context)
      defer { H5Tclose(type) }
      let attribute = try create(name, type: type, shape: shape, on: owner)
      defer { H5Aclose(attribute) }
      try H5Strings.write(values, name: "attribute \(name)", context) { type, pointers in
        H5Awrite(attribute, type, pointers)
      }
    }
  }

  private func value(of attribute: hid_t, _ name: String) throws(StoreError) -> AttributeValue {
    let stored = try context.check(H5Aget_type(attribute))
    defer { H5Tclose(stored) }
    let space = try context.check(H5Aget_space(attribute))
    defer { H5Sclose(space) }
    guard H5Sget_simple_extent_type(space) != H5S_NULL else { return .other("empty") }
    let shape = try H5Dataset.shape(ofSpace: space, context)
    let count = shape.reduce(1, *)
    func numbers<Element: H5Element>(_ zero: Element) throws(StoreError) -> [Element] {
      var values = [Element](repeating: zero, count: count)
      guard count > 0 else { return values }
      try context.check(H5Aread(attribute, Element.h5Type.native, &values))
      return values
    }
    // Narrow numbers, as other programs write them, widen without loss.
    switch H5Tget_class(stored) {
    case H5T_INTEGER where H5Tget_sign(stored) == H5T_SGN_NONE && H5Tget_size(stored) == 8:
      guard shape.isEmpty else { return .other("u64 \(shape)") }
      return .unsigned(try numbers(UInt64(0))[0])
    case H5T_INTEGER where H5Tget_size(stored) <= 8:
      let values = try numbers(Int64(0))
      return shape.isEmpty ? .int(values[0]) : .ints(values)
    case H5T_FLOAT where H5Tget_size(stored) <= 8:
      let values = try numbers(Double(0))
      return shape.isEmpty ? .double(values[0]) : .doubles(values)
    case H5T_STRING:
      let texts = try H5Strings.read(
        count: count, stored: stored, space: space, name: "attribute \(name)", context
      ) { type, buffer in H5Aread(attribute, type, buffer) }
      return shape.isEmpty ? .string(texts[0]) : .strings(texts)
    default:
      return .other(H5Type.name(stored: stored))
    }
  }
}
