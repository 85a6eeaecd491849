/// How the numbers of a stored tensor are encoded. Raw values are the names shown to people.
///
/// The quantised types are ggml's: `blockSize` consecutive values of a row share their scales.
public enum WeightType: String, Sendable, CaseIterable {
  case f64, f32, f16, bf16
  case i64, i32, i16, i8, u64, u32, u16, u8, bool
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q4_0, q4_1, q5_0, q5_1, q8_0
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q2_K, q3_K, q4_K, q5_K, q6_K
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq4_nl, iq4_xs
  /// A type number of a newer GGUF file; such a tensor is listed, and refused when it is read.
  case unknown

  /// Values that are stored together.
  public var blockSize: Int {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl: 32
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_xs: 256
    default: 1
    }
  }

  /// Bytes of one block; 0 for `unknown`.
  public var bytesPerBlock: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool: 1
    case .q4_0: 2 + 16
    case .q4_1: 2 + 2 + 16
    case .q5_0: 2 + 4 + 16
    case .q5_1: 2 + 2 + 4 + 16
    case .q8_0: 2 + 32
    case .q2_K: 16 + 64 + 2 + 2
    case .q3_K: 32 + 64 + 12 + 2
    case .q4_K: 2 + 2 + 12 + 128
    case .q5_K: 2 + 2 + 12 + 32 + 128
    case .q6_K: 128 + 64 + 16 + 2
    case .iq4_nl: 2 + 16
    case .iq4_xs: 2 + 2 + 4 + 128
    case .unknown: 0
    }
  }

  /// Bytes of `count` values; nil when they are no whole number of blocks, when the size does not
  /// fit an `Int`, or when the type is unknown.
  public func byteCount(of count: Int) -> Int? {
    guard self != .unknown, count >= 0, count % blockSize == 0 else { return nil }
    let (bytes, overflow) = (count / blockSize).multipliedReportingOverflow(by: bytesPerBlock)
    return overflow ? nil : bytes
  }
}

/// One tensor of a weight file.
public struct WeightEntry: Sendable, Equatable {
  public var name: String
  public var type: WeightType
  /// Row-major, Hugging Face order: a linear layer is [out, in]. Empty for a scalar.
  public var shape: [Int]

  public init(name: String, type: WeightType, shape: [Int]) {
    self.name = name
    self.type = type
    self.shape = shape
  }

  /// Number of values.
  public var count: Int { shape.reduce(1, *) }
}

/// Named tensors on disk. Reading is safe from several threads at once.
public protocol WeightSource: AnyObject, Sendable {
  // Required of every source.

  /// The file or folder, for messages.
  var path: String { get }
  /// All tensors in file order.
  var entries: [WeightEntry] { get }
  func entry(_ name: String) -> WeightEntry?
  /// Converts a whole tensor to f32.
  ///
  /// - Parameter destination: exactly `entry.count` values.
  /// - Throws: `WeightError` when the tensor is absent, its type cannot be read, or the
  ///   destination has another size.
  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws
  /// The stored bytes, row-major, in `entry.type`; valid as long as the source lives.
  /// Not necessarily aligned to the element size.
  func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer
  /// Lends the bytes of `rawBytes` for the time of a call and keeps nothing, so that a whole model
  /// passes through the memory of one tensor.
  func lendBytes(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
  /// Whether `rawBytes` are the file's own pages, so that lending them costs no memory.
  var isMapped: Bool { get }
}

extension WeightSource {
  // Yours for free.

  /// For sources whose bytes lie in a mapped file.
  public func lendBytes(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try body(rawBytes(name))
  }
  public var isMapped: Bool { true }

  /// The entry, or an error that names the nearest stored names.
  public func require(_ name: String) throws(WeightError) -> WeightEntry {
    guard let found = entry(name) else { throw absence(of: name) }
    return found
  }

  /// The error for a name that this source has not.
  func absence(of name: String) -> WeightError {
    WeightError(path, .absent(tensor: name, near: nearNames(name)))
  }

  /// A whole tensor as an array; for small tensors and tests.
  public func floats(_ name: String) throws -> [Float] {
    let count = try require(name).count
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try read(name, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }

  /// Stored names that share the longest ending with `name`: files differ in their prefixes.
  private func nearNames(_ name: String) -> [String] {
    let wanted = Array(name.utf8.reversed())
    let scored = entries.map { entry in
      (entry.name, zip(wanted, entry.name.utf8.reversed()).prefix { $0 == $1 }.count)
    }
    return scored.filter { $0.1 > 4 }.sorted { $0.1 > $1.1 }.prefix(3).map(\.0)
  }
}
