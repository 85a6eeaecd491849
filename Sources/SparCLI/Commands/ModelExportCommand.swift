import ArgumentParser
import Foundation
import SparModel
import SparPipeline
import SparStore
import SparText

extension ModelCommand {
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a model as a Hugging Face folder or as a .gguf file.",
      discussion: """
        A target that ends in .gguf becomes a file for llama.cpp, any other a folder for \
        transformers: config, weights in safetensors, tokenizer, generation settings, and a model \
        card that tells how it was trained. What is written appears whole or not at all.

          spar model export step-120.h5 my-model --type bf16
          spar model export step-120.h5 my-model.gguf --type q8_0

        Without --type a folder keeps f32, f16 and bf16 as they are and spells quantised weights \
        out in f32, exactly; a .gguf file is f16.
        """)

    @Argument(help: "A checkpoint of a run, or any other model.", completion: .file())
    var model: String

    @Argument(help: "The folder, or the .gguf file, to write.", completion: .directory)
    var target: String

    @Option(
      name: [.customLong("type"), .customLong("dtype")],
      help: "Type of the weights: f32, f16 or bf16; for .gguf also q8_0 or q4_0.")
    var type: String?

    @Option(
      help: "Weights of one safetensors file at most, as 800MB; of a folder only. (default: 5GB)")
    var maxShardSize: String?

    @OptionGroup var writing: ModelWritingOptions

    private var isGGUF: Bool { target.lowercased().hasSuffix(".gguf") }

    private func weightType() throws -> WeightType? {
      guard let type else { return nil }
      let known = isGGUF ? WeightType.writable : [.f32, .f16, .bf16]
      if let found = known.first(where: { $0.rawValue == type.lowercased() }) { return found }
      if !isGGUF, WeightType.writable.contains(where: { $0.rawValue == type.lowercased() }) {
        throw UsageError(
          "a Hugging Face folder has no \(type) weights", hint: "give a target that ends in .gguf")
      }
      let names = known.map(\.rawValue)
      throw UsageError("--type is \(type); it must be one of \(names.joined(separator: ", "))")
    }

    func run() throws {
      if isGGUF, maxShardSize != nil {
        throw UsageError("--max-shard-size is for a folder; a .gguf file is one file")
      }
      let (type, shard) = (try weightType(), try maxShardSize.map(ByteSize.parse))
      let files = try ModelFiles.open(model)
      let title = ((target as NSString).lastPathComponent as NSString).deletingPathExtension
      let summary = try writing.progress("export") { progress in
        if isGGUF {
          var export = GGUFExport()
          export.type = type ?? .f16
          export.overwrite = writing.overwrite
          return try export.write(files, to: target, name: title, progress: progress)
        }
        var export = HuggingFaceExport()
        export.type = type
        if let shard { export.maxShardBytes = shard }
        export.overwrite = writing.overwrite
        return try export.write(
          files, to: target, card: try card(files, title: title), progress: progress)
      }
      try writing.report(summary, to: target)
    }

    private func card(_ files: ModelFiles, title: String) throws -> ModelCard {
      let checkpoint = (files.weights as? HDF5WeightSource)?.checkpoint
      let training = try TrainingFacts(checkpoint)
      let source = (files.path as NSString).lastPathComponent
      return ModelCard(
        title: title, baseModel: training.baseModel ?? (training.rows.isEmpty ? source : nil),
        license: try ModelLicense.identifier(of: files),
        facts: [("exported from", source)] + training.rows
          + [("written by", "Spar \(SparVersion.current)")])
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write any model as an HDF5 checkpoint, to train from or to read with HDF5.",
      discussion: """
        f32, f16 and bf16 weights keep their bits, so that an export gives the same bytes again; \
        quantised ones are spelled out in f32, exactly.

          spar model import my-model my-model.h5
        """)

    @Argument(
      help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
    var model: String

    @Argument(help: "The .h5 file to write.", completion: .file())
    var target: String

    @OptionGroup var writing: ModelWritingOptions

    func run() throws {
      guard [".h5", ".hdf5"].contains(where: { target.lowercased().hasSuffix($0) }) else {
        throw UsageError(
          "\(target) does not end in .h5", hint: "checkpoints are recognised by that ending")
      }
      let files = try ModelFiles.open(model)
      let summary = try writing.progress("import") { progress in
        try CheckpointImport.write(
          files, to: target, overwrite: writing.overwrite,
          attributes: ["spar_version": .string(SparVersion.current)], progress: progress)
      }
      try writing.report(summary, to: target)
    }
  }
}

/// Sizes as people type them.
enum ByteSize {
  private static let units: [(String, Double)] = [
    ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("kb", 1e3), ("mb", 1e6),
    ("gb", 1e9), ("tb", 1e12), ("b", 1),
  ]

  /// "5GB", "800 MB", "1GiB", "1000000".
  static func parse(_ text: String) throws -> Int {
    let lowered = text.lowercased()
    let unit = units.first { lowered.hasSuffix($0.0) } ?? ("", 1)
    let number = lowered.dropLast(unit.0.count).trimmingCharacters(in: .whitespaces)
    guard let value = Double(number), value * unit.1 >= 1, value * unit.1 < 1e18 else {
      throw UsageError("\"\(text)\" is no size", hint: "write 5GB, 800MB or a number of bytes")
    }
    return Int(value * unit.1)
  }
}
