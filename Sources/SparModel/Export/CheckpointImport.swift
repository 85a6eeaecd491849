import Foundation
import SparStore

/// Writes any model as an HDF5 checkpoint that training starts from: weights, configuration,
/// tokenizer and template in one file.
///
/// f32, f16 and bf16 keep their bits. What is quantised is spelled out in f32, exactly: training
/// changes weights in small steps, and any program with HDF5 can read them.
public enum CheckpointImport {
  @discardableResult
  public static func write(
    _ files: ModelFiles, to path: String, overwrite: Bool = false,
    attributes: [String: AttributeValue] = [:],
    progress: @escaping ExportProgress = { _, _ in }
  ) throws -> ExportSummary {
    let tensors = files.weights.entries.map { entry in
      let kept = [.f32, .f16, .bf16].contains(entry.type) ? entry.type : .f32
      return OutgoingTensor(entry, of: files.weights, as: entry.name, type: kept)
    }
    let total = tensors.reduce(0) { $0 + $1.byteCount }
    let texts = try ModelTexts(files)
    var attributes = attributes
    func text(_ data: Data) -> AttributeValue { .string(String(decoding: data, as: UTF8.self)) }
    attributes["tokenizer_config_json"] = texts.tokenizerConfig.map(text)
    attributes["special_tokens_map_json"] = texts.specialTokens.map(text)
    attributes["generation_config_json"] = text(texts.generation)
    attributes["imported_from"] = .string((files.path as NSString).lastPathComponent)
    if let license = texts.license { attributes["license"] = .string(license) }
    let header = CheckpointHeader(
      step: 0, seed: 0, dataPosition: 0, configJSON: String(decoding: texts.config, as: UTF8.self),
      tokenizerJSON: texts.tokenizer.map { String(decoding: $0, as: UTF8.self) },
      chatTemplate: texts.chatTemplate, attributes: attributes)
    let target = try ExportTarget(path, overwrite: overwrite)
    try target.checkFile(bytes: total)
    var done = 0
    try CheckpointFile.write(to: target.path, header) { writer in
      for tensor in tensors {
        try write(tensor, writer, path: path)
        done += tensor.byteCount
        try progress(done, total)
      }
    }
    return ExportSummary(files: [target.path], tensors: tensors)
  }

  /// Bytes that come in one piece pass as they are; others are gathered first.
  private static func write(
    _ tensor: OutgoingTensor, _ writer: CheckpointWriter, path: String
  ) throws {
    guard let stored = HDF5WeightSource.types.first(where: { $0.value == tensor.type })?.key else {
      preconditionFailure("a checkpoint's parameters are f32, f16 or bf16")
    }
    let size = tensor.byteCount
    func wrong(_ found: Int) -> WeightError {
      WeightError(path, .size(tensor: tensor.name, expected: size, found: found))
    }
    var gathered: UnsafeMutableRawBufferPointer?
    defer { gathered?.deallocate() }
    var filled = 0
    try tensor.emit(path: path) { bytes in
      defer { filled += bytes.count }
      guard bytes.count <= size - filled else { throw wrong(filled + bytes.count) }
      if bytes.count == size {
        return try writer.parameter(tensor.name, stored, shape: tensor.shape, bytes: bytes)
      }
      let whole = gathered ?? .allocate(byteCount: size, alignment: 64)
      gathered = whole
      UnsafeMutableRawBufferPointer(rebasing: whole[filled...]).copyMemory(from: bytes)
    }
    guard filled == size else { throw wrong(filled) }
    // A tensor without values comes in no piece at all.
    guard gathered != nil || size == 0 else { return }
    try writer.parameter(
      tensor.name, stored, shape: tensor.shape,
      bytes: UnsafeRawBufferPointer(gathered ?? .init(start: nil, count: 0)))
  }
}
