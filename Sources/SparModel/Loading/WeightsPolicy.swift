import Foundation
import SparTensor

/// How a model's matrices stay in memory.
public enum WeightsPolicy: String, Sendable, CaseIterable {
  /// Stored, where f32 would take more than a third of the machine's memory; else f32.
  case auto
  /// Expanded to f32 when the model is loaded: what training needs.
  case f32
  /// As they lie in their file, mapped: f32, f16, bf16, Q8_0, Q4_0 and Q4_1; other types are
  /// expanded.  Results have the same bits where the backend decodes inside its products.
  case stored
  /// Rounded to Q8_0 as the model is loaded, in 0.27 of the memory of f32; what the file holds in 4
  /// or 8 bits stays as it is, and so does a matrix whose rows are no whole blocks of 32.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q8_0

  /// `auto` decided.
  func resolved(for weights: any WeightSource) -> WeightsPolicy {
    guard self == .auto else { return self }
    let bytes = weights.entries.reduce(0.0) { $0 + 4 * Double($1.count) }
    return bytes > Double(ProcessInfo.processInfo.physicalMemory) / 3 ? .stored : .f32
  }
}

extension WeightType {
  /// The type under which tensors can hold such weights as they are.
  var stored: DType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .q8_0: .q8_0
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    default: nil
    }
  }
}

extension WeightSource {
  /// The matrix as it is stored, kept alive by its source; nil where only f32 will do.
  func mapped(_ entry: WeightEntry) throws -> Tensor? {
    guard let dtype = entry.type.stored, entry.shape.count == 2,
      entry.shape[1] % dtype.block == 0, isMapped
    else { return nil }
    let bytes = try rawBytes(entry.name)
    // A file may place f32 anywhere; the kernels read it in whole words.
    if dtype == .f32, UInt(bitPattern: bytes.baseAddress) % 4 != 0 { return nil }
    return Tensor(mapped: bytes, dtype: dtype, shape: entry.shape, owner: self)
  }
}
