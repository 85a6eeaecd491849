import CHDF5

/// The element types that Spar stores. Raw values are the names shown to people.
public enum H5Type: String, Sendable, Equatable {
  case f16, bf16, f32, f64, i8, i32, i64, u8, u64
  /// UTF-8 text of any length.
  case string

  /// The type in memory; for `string` the caller makes and closes one.
  var native: hid_t {
    switch self {
    case .f16: spar_h5_f16()
    case .bf16: spar_h5_bf16()
    case .f32: spar_h5_f32()
    case .f64: spar_h5_f64()
    case .i8: spar_h5_i8()
    case .i32: spar_h5_i32()
    case .i64: spar_h5_i64()
    case .u8: spar_h5_u8()
    case .u64: spar_h5_u64()
    case .string: preconditionFailure("strings have no native type id")
    }
  }

  /// Bytes of one value; 0 for text.
  public var bytes: Int {
    switch self {
    case .i8, .u8: 1
    case .f16, .bf16: 2
    case .f32, .i32: 4
    case .f64, .i64, .u64: 8
    case .string: 0
    }
  }

  /// What a stored type is, whatever its byte order; nil for a type that Spar does not use.
  init?(stored type: hid_t) {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_FLOAT where size == 2 && H5Tget_ebias(type) == 15: self = .f16
    case H5T_FLOAT where size == 2 && H5Tget_ebias(type) == 127: self = .bf16
    case H5T_FLOAT where size == 4: self = .f32
    case H5T_FLOAT where size == 8: self = .f64
    case H5T_STRING: self = .string
    case H5T_INTEGER:
      switch (H5Tget_sign(type) != H5T_SGN_NONE, size) {
      case (true, 1): self = .i8
      case (true, 4): self = .i32
      case (true, 8): self = .i64
      case (false, 1): self = .u8
      case (false, 8): self = .u64
      default: return nil
      }
    default: return nil
    }
  }

  /// A stored type in words, for listings and messages.
  static func name(stored type: hid_t) -> String {
    if let known = H5Type(stored: type) { return known.rawValue }
    let bits = 8 * H5Tget_size(type)
    return switch H5Tget_class(type) {
    case H5T_INTEGER: "\(H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "i")\(bits)"
    case H5T_FLOAT: "f\(bits)"
    case H5T_COMPOUND: "compound"
    case H5T_ENUM: "enum"
    case H5T_VLEN: "variable-length"
    case H5T_ARRAY: "array"
    case H5T_REFERENCE: "reference"
    case H5T_OPAQUE: "opaque"
    default: "another type"
    }
  }

  /// A variable-length UTF-8 string type; to be closed by the caller.
  static func makeString(_ context: HDF5Context) throws(StoreError) -> hid_t {
    let type = try context.check(H5Tcopy(spar_h5_c_string()))
    try context.check(H5Tset_size(type, spar_h5_variable()))
    try context.check(H5Tset_cset(type, H5T_CSET_UTF8))
    return type
  }
}

/// A number that a dataset can hold.
public protocol H5Element: BitwiseCopyable, Sendable {
  static var h5Type: H5Type { get }
}
/// A number in IEEE half precision, as its bits.
public struct H5Half: H5Element, Equatable {
  public static var h5Type: H5Type { .f16 }
  public var bits: UInt16

  public init(bits: UInt16) { self.bits = bits }
}
extension Float: H5Element { public static var h5Type: H5Type { .f32 } }
extension Double: H5Element { public static var h5Type: H5Type { .f64 } }
extension Int8: H5Element { public static var h5Type: H5Type { .i8 } }
extension Int32: H5Element { public static var h5Type: H5Type { .i32 } }
extension Int64: H5Element { public static var h5Type: H5Type { .i64 } }
extension UInt8: H5Element { public static var h5Type: H5Type { .u8 } }
extension UInt64: H5Element { public static var h5Type: H5Type { .u64 } }

/// How a dataset lies in the file.
public struct H5Layout: Sendable, Equatable {
  /// Rows (steps of the first axis) of one chunk; nil stores the dataset in one piece, which can
  /// neither grow nor be compressed.
  public var chunkRows: Int?
  /// Level 1…9 of deflate after byte shuffling; nil stores the values as they are.
  public var deflate: Int?
  /// The first axis has no upper limit.
  public var growable: Bool

  public static let contiguous = H5Layout()

  public init(chunkRows: Int? = nil, deflate: Int? = nil, growable: Bool = false) {
    precondition(chunkRows.map { $0 > 0 } ?? (deflate == nil && !growable), "chunks are needed")
    self.chunkRows = chunkRows
    self.deflate = deflate
    self.growable = growable
  }
}
