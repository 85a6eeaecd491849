import Foundation
import SparStore

/// Writes a model as a folder that Hugging Face transformers loads, from file to file: tensors pass
/// one by one and nothing is put on a backend.
public struct HuggingFaceExport {
  /// f32, f16 or bf16 for all weights; nil keeps these where the source has them, and spells out
  /// in f32 what is quantised.
  public var type: WeightType?
  /// Weights beyond this go to a further file.
  public var maxShardBytes = 5_000_000_000
  public var overwrite = false

  public init() {}

  /// - Parameter card: becomes README.md.
  @discardableResult
  public func write(
    _ files: ModelFiles, to folder: String, card: ModelCard,
    progress: @escaping ExportProgress = { _, _ in }
  ) throws -> ExportSummary {
    let tensors = files.weights.entries.map { entry in
      OutgoingTensor(entry, of: files.weights, as: entry.name, type: outgoing(entry.type))
    }
    let texts = try ModelTexts(files)
    let shards = Self.shards(tensors, limit: maxShardBytes)
    let total = tensors.reduce(0) { $0 + $1.byteCount }
    var written = texts.others
    written["config.json"] = try Self.config(files, type: Self.commonest(tensors))
    written["tokenizer.json"] = texts.tokenizer
    written["tokenizer_config.json"] = texts.tokenizerConfig
    written["special_tokens_map.json"] = texts.specialTokens
    written["generation_config.json"] = texts.generation
    written["README.md"] = Data(card.markdown.utf8)
    if shards.count > 1 {
      written["model.safetensors.index.json"] = try Self.index(shards, total: total)
    }
    let target = try ExportTarget(folder, overwrite: overwrite)
    try target.fillFolder(bytes: total) { work in
      for (name, data) in written.sorted(by: { $0.key < $1.key }) {
        try AtomicFile.writeBytes(to: work + "/" + name, doing: "writing the model") { sink in
          try data.withUnsafeBytes { try sink.write($0) }
        }
      }
      var done = 0
      for shard in shards {
        try SafetensorsWriter.write(shard.tensors, to: work + "/" + shard.name) { bytes in
          done += bytes
          try progress(done, total)
        }
      }
    }
    return ExportSummary(
      files: (written.keys + shards.map(\.name)).sorted(), tensors: tensors)
  }

  private func outgoing(_ stored: WeightType) -> WeightType {
    switch stored {
    case .f32, .f16, .bf16: return type ?? stored
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool: return stored
    default: return type ?? .f32
    }
  }

  // MARK: Shards

  struct Shard {
    var name: String
    var tensors: [OutgoingTensor]
  }

  /// Tensors in their order, a new file where the limit would be passed, as huggingface_hub does.
  static func shards(_ tensors: [OutgoingTensor], limit: Int) -> [Shard] {
    var parts: [[OutgoingTensor]] = [[]]
    var size = 0
    for tensor in tensors {
      if size > 0, size + tensor.byteCount > limit {
        parts.append([])
        size = 0
      }
      parts[parts.count - 1].append(tensor)
      size += tensor.byteCount
    }
    guard parts.count > 1 else { return [Shard(name: "model.safetensors", tensors: tensors)] }
    return parts.enumerated().map { number, part in
      let name = String(format: "model-%05d-of-%05d.safetensors", number + 1, parts.count)
      return Shard(name: name, tensors: part)
    }
  }

  private static func index(_ shards: [Shard], total: Int) throws -> Data {
    var map: [String: String] = [:]
    for shard in shards {
      for tensor in shard.tensors { map[tensor.name] = shard.name }
    }
    let count = shards.reduce(0) { $0 + $1.tensors.reduce(0) { $0 + $1.count } }
    return try ModelTexts.json([
      "metadata": ["total_size": total, "total_parameters": count], "weight_map": map,
    ])
  }

  // MARK: config.json

  /// The type that most values have.
  private static func commonest(_ tensors: [OutgoingTensor]) -> WeightType {
    let counts = Dictionary(tensors.map { ($0.type, $0.count) }, uniquingKeysWith: +)
    let floats = counts.filter { [.f32, .f16, .bf16].contains($0.key) }
    return floats.max { $0.value < $1.value }?.key ?? .f32
  }

  /// The checkpoint's own configuration with the type of the new weights.
  private static func config(_ files: ModelFiles, type: WeightType) throws -> Data {
    let name = [WeightType.f32: "float32", .f16: "float16", .bf16: "bfloat16"][type] ?? "float32"
    let written = try ConfigFields(data: files.config, path: files.path).node
    let changed = written.with(weightType: name)
    return changed == written ? files.config : changed.file
  }
}
