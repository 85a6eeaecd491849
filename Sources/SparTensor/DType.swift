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
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q8_0 = 32
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q4_0 = 33
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q4_1 = 34

  /// Elements that are stored together, along the last axis: 32 in ggml's blocks, else 1.
  public var block: Int { Int(spar_dtype_block(rawValue)) }

  /// Bytes of `count` elements, which are whole blocks.
  public func bytes(_ count: Int) -> Int { Int(spar_dtype_bytes(rawValue, Int64(count))) }
}
