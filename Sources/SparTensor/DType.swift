import CSparPlugin

/// Element types of tensors in memory.  Raw values are those of the plugin ABI.
public enum DType: Int32, Sendable, CaseIterable {
  case f32 = 1
  case f64 = 2
  case f16 = 3
  case bf16 = 4
  case i32 = 5
  case i64 = 6
  case i8 = 7
  case u8 = 8

  /// Bytes of one element.
  public var size: Int { Int(spar_dtype_size(rawValue)) }
}
