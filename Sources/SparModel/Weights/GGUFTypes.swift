/// ggml's numbering of tensor types.
enum GGUFTypes {
  static let types: [UInt32: WeightType] = [
    0: .f32, 1: .f16, 2: .q4_0, 3: .q4_1, 6: .q5_0, 7: .q5_1, 8: .q8_0, 10: .q2_K, 11: .q3_K,
    12: .q4_K, 13: .q5_K, 14: .q6_K, 20: .iq4_nl, 23: .iq4_xs, 24: .i8, 25: .i16, 26: .i32,
    27: .i64, 28: .f64, 30: .bf16,
  ]

  static var readableNames: [String] {
    types.sorted { $0.key < $1.key }.map { $0.value.rawValue.uppercased() }
  }

  /// nil for types that the format has not.
  static func number(_ type: WeightType) -> UInt32? { types.first { $0.value == type }?.key }

  /// `general.file_type`: what most of a file's matrices are.
  static func fileType(_ type: WeightType) -> UInt32? {
    switch type {
    case .f32: 0
    case .f16: 1
    case .q4_0: 2
    case .q8_0: 7
    case .bf16: 32
    default: nil
    }
  }

  /// Names of types that are refused, so that the message can say which one it is.
  private static let refused: [UInt32: String] = [
    9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S",
    22: "IQ2_S", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4",
  ]

  static func name(_ number: UInt32) -> String {
    refused[number].map { "\($0) (\(number))" } ?? "number \(number)"
  }
}
