import Foundation
import SparText

/// Writes a model as a GGUF file that llama.cpp loads, from file to file: tensors pass one by one.
public struct GGUFExport {
  /// Of the matrices: f32, f16, bf16, q8_0 or q4_0. Vectors are f32. Where a row is no whole
  /// number of blocks, a quantised matrix becomes f16; with q4_0 the output matrix is q8_0, since
  /// every token's score comes from it.
  public var type = WeightType.f16
  public var overwrite = false

  public init() {}

  @discardableResult
  public func write(
    _ files: ModelFiles, to path: String, name: String,
    progress: @escaping ExportProgress = { _, _ in }
  ) throws -> ExportSummary {
    let target = try ExportTarget(path, overwrite: overwrite)
    let embedding = try files.weights.require("model.embed_tokens.weight")
    let rows = embedding.shape.first ?? 0
    let model = try GGUFHyperparameters(
      config: files.config, source: files.path, rows: rows, path: path)
    var metadata: [(key: String, value: GGUFField)] = [
      ("general.architecture", .string(model.architecture)), ("general.type", .string("model")),
      ("general.name", .string(name)),
    ]
    if let license = try ModelLicense.identifier(of: files) {
      metadata.append(("general.license", .string(license)))
    }
    metadata.append(("general.file_type", .u32(GGUFTypes.fileType(type) ?? 0)))
    metadata.append(("general.quantization_version", .u32(2)))
    metadata += model.fields
    let tokenizer = try GGUFTokenizerMetadata.fields(files, rows: rows)
    metadata += tokenizer.fields
    let tensors = try tensors(files, model, path: path)
    let total = tensors.reduce(0) { $0 + $1.byteCount }
    try target.checkFile(bytes: total)
    var done = 0
    try GGUFWriter.write(tensors, metadata: metadata, to: target.path) { bytes in
      done += bytes
      try progress(done, total)
    }
    return ExportSummary(
      files: [target.path], tensors: tensors, notes: model.notes + tokenizer.notes)
  }

  private func tensors(
    _ files: ModelFiles, _ model: GGUFHyperparameters, path: String
  ) throws -> [OutgoingTensor] {
    guard let names = GGUFTensorNames.named(model.architecture) else {
      preconditionFailure("every architecture has names")
    }
    var tensors: [OutgoingTensor] = []
    for entry in files.weights.entries where !Self.isLeftOut(entry.name, model) {
      guard let name = names.gguf(entry.name) else {
        throw ExportError.cannot(
          path: path, format: "GGUF",
          what: "tensor \(entry.name) has no place in the architecture \(model.architecture)",
          cure: "export to a Hugging Face folder")
      }
      var change = OutgoingTensor.Change()
      if names.isInterleaved(name) {
        let size = model.headSize
        change.sourceRow = { GGUFHeadOrder.huggingFace($0, headSize: size) }
      }
      if names.isNormPlusOne(name) { change.adds = 1 }
      let isHead = name == (model.tieEmbeddings ? "token_embd.weight" : "output.weight")
      tensors.append(
        OutgoingTensor(
          entry, of: files.weights, as: name, type: outgoing(entry, isHead: isHead), change))
    }
    if let gguf = files.weights as? GGUFLlamaSource {
      for entry in gguf.file.entries where GGUFTensorNames.isDerived(entry.name) {
        tensors.append(OutgoingTensor(entry, of: gguf.file, as: entry.name, type: .f32))
      }
      return tensors
    }
    return tensors
      + model.ropeFactors.map { name, values in
        OutgoingTensor(name: name, shape: [values.count], values: values)
      }
  }

  /// Copies of the embedding and buffers that follow from the configuration.
  private static func isLeftOut(_ name: String, _ model: GGUFHyperparameters) -> Bool {
    (name == "lm_head.weight" && model.tieEmbeddings) || name.hasSuffix(".rotary_emb.inv_freq")
  }

  private func outgoing(_ entry: WeightEntry, isHead: Bool) -> WeightType {
    guard entry.shape.count > 1 else { return .f32 }
    guard (entry.shape.last ?? 1) % type.blockSize == 0 else { return .f16 }
    return type == .q4_0 && isHead ? .q8_0 : type
  }
}
