/// A typed value of GGUF metadata. Integers of all widths are `int` (or `uint` beyond `Int.max`).
public enum GGUFValue: Sendable, Equatable {
  case int(Int)
  case uint(UInt64)
  /// f32 values carry their shortest decimal, so that 1e-05 is not 9.999999747378752e-06.
  case float(Double)
  case bool(Bool)
  case string(String)
  case ints([Int])
  case floats([Double])
  case bools([Bool])
  case strings([String])
  /// An array of arrays, or of integers beyond `Int.max`.
  case array([GGUFValue])
}

extension GGUFValue {
  /// An f32 as the `Double` of its shortest decimal, as long as that rounds back to it.
  static func decimal(_ value: Float) -> Double {
    guard value.isFinite, let short = Double(value.description), Float(short) == value else {
      return Double(value)
    }
    return short
  }
}

/// Typed access to metadata. A key of another type is an error, not an absence.
extension GGUFFile {
  public func string(_ key: String) throws(WeightError) -> String? {
    switch metadata[key] {
    case nil: nil
    case .string(let value)?: value
    case let other?: throw mismatch(key, "a string", other)
    }
  }

  public func int(_ key: String) throws(WeightError) -> Int? {
    switch metadata[key] {
    case nil: nil
    case .int(let value)?: value
    case let other?: throw mismatch(key, "an integer", other)
    }
  }

  /// Accepts integers too.
  public func float(_ key: String) throws(WeightError) -> Double? {
    switch metadata[key] {
    case nil: nil
    case .float(let value)?: value
    case .int(let value)?: Double(value)
    case let other?: throw mismatch(key, "a number", other)
    }
  }

  public func bool(_ key: String) throws(WeightError) -> Bool? {
    switch metadata[key] {
    case nil: nil
    case .bool(let value)?: value
    case let other?: throw mismatch(key, "a boolean", other)
    }
  }

  public func stringArray(_ key: String) throws(WeightError) -> [String]? {
    switch metadata[key] {
    case nil: nil
    case .strings(let value)?: value
    case let other?: throw mismatch(key, "an array of strings", other)
    }
  }

  public func intArray(_ key: String) throws(WeightError) -> [Int]? {
    switch metadata[key] {
    case nil: nil
    case .ints(let value)?: value
    case let other?: throw mismatch(key, "an array of integers", other)
    }
  }

  /// Accepts integers too.
  public func floatArray(_ key: String) throws(WeightError) -> [Double]? {
    switch metadata[key] {
    case nil: nil
    case .floats(let value)?: value
    case .ints(let value)?: value.map(Double.init)
    case let other?: throw mismatch(key, "an array of numbers", other)
    }
  }

  private func mismatch(_ key: String, _ wanted: String, _ found: GGUFValue) -> WeightError {
    WeightError(path, .malformed("metadata \(key) should be \(wanted), it is \(found.summary)"))
  }
}

extension GGUFValue {
  /// A value, or the kind and length of an array, for messages and listings.
  public var summary: String {
    switch self {
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .float(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string(let value): "\"\(value.count > 60 ? value.prefix(60) + "…" : value)\""
    case .ints(let values): "\(values.count) integers"
    case .floats(let values): "\(values.count) floats"
    case .bools(let values): "\(values.count) booleans"
    case .strings(let values): "\(values.count) strings"
    case .array(let values): "\(values.count) values"
    }
  }
}
