import Foundation
import SparModel
import SparStore
import Testing

@Suite("Import and export") struct ExportTests {
  static func json(_ path: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
      as? [String: Any] ?? [:]
  }

  @Test("a folder goes to HDF5 and back: every byte of every tensor, every text")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"], types: [.bf16, .f32, .f16])
    let source = try ModelFiles.huggingFace(folder["a"])
    try CheckpointImport.write(source, to: folder["a.h5"])
    let stored = try ModelFiles.checkpoint(folder["a.h5"])
    try HuggingFaceExport().write(stored, to: folder["b"], card: ModelCard(title: "b"))
    let copy = try ModelFiles.huggingFace(folder["b"])
    let expected = try TinyModel.contents(source.weights)
    #expect(expected.count == 20)
    #expect(try TinyModel.contents(stored.weights) == expected)
    #expect(try TinyModel.contents(copy.weights) == expected)
    for name in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: folder["b"] + "/" + name))
          == Data(contentsOf: URL(fileURLWithPath: folder["a"] + "/" + name)), "\(name)")
    }
    let config = try Self.json(folder["b"] + "/config.json")
    #expect((config["something_of_its_own"] as? [String: Bool])?["kept"] == true)
    #expect(config["torch_dtype"] as? String == "bfloat16")
    #expect(try ModelLicense.identifier(of: stored) == "mit")
    #expect(try folder.names() == ["a", "a.h5", "b"])
  }

  @Test("a template that has a file of its own survives HDF5")
  func ownTemplate() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"])
    try TinyModel.write(["eos_token": "</s>"], folder["a"] + "/tokenizer_config.json")
    try Data(TinyModel.template.utf8).write(
      to: URL(fileURLWithPath: folder["a"] + "/chat_template.jinja"))
    try CheckpointImport.write(try .huggingFace(folder["a"]), to: folder["a.h5"])
    try HuggingFaceExport().write(
      try .checkpoint(folder["a.h5"]), to: folder["b"], card: ModelCard(title: "b"))
    #expect(try ModelFiles.huggingFace(folder["b"]).chatTemplate == TinyModel.template)
  }

  @Test(
    "the golden models survive HDF5 bit by bit", .enabled(if: Golden.folder != nil, Golden.absence),
    arguments: ["llama", "llama3", "mistral", "qwen2", "qwen3", "gemma2"])
  func goldenRoundTrip(name: String) throws {
    let folder = try TemporaryFolder()
    try GoldenCopy.make(name, in: folder)
    let source = try ModelFiles.huggingFace(folder[name])
    try CheckpointImport.write(source, to: folder["m.h5"])
    let stored = try ModelFiles.checkpoint(folder["m.h5"])
    try HuggingFaceExport().write(stored, to: folder["back"], card: ModelCard(title: name))
    let copy = try ModelFiles.huggingFace(folder["back"])
    #expect(try TinyModel.contents(copy.weights) == TinyModel.contents(source.weights))
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder["back/config.json"])) == source.config)
  }

  @Test("weights beyond the limit go to numbered files with an index")
  func shards() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"])
    let source = try ModelFiles.huggingFace(folder["a"])
    var export = HuggingFaceExport()
    export.type = .f32
    export.maxShardBytes = 30_000
    var last = (0, 0)
    let summary = try export.write(source, to: folder["b"], card: ModelCard(title: "b")) {
      last = ($0, $1)
    }
    let index = try Self.json(folder["b/model.safetensors.index.json"])
    let map = try #require(index["weight_map"] as? [String: String])
    let total = try #require((index["metadata"] as? [String: Any])?["total_size"] as? Int)
    #expect(map.count == 20 && total == summary.bytes && last == (total, total))
    let names = Set(map.values).sorted()
    #expect(names.count >= 3)
    #expect(names.first == String(format: "model-00001-of-%05d.safetensors", names.count))
    for name in names {
      let file = try SafetensorsFile(folder["b"] + "/" + name)
      let bytes = file.entries.reduce(0) { $0 + 4 * $1.count }
      #expect(bytes <= 30_000 || file.entries.count == 1)
      #expect(file.metadata == ["format": "pt"])
    }
    let copy = try ModelFiles.huggingFace(folder["b"])
    for entry in source.weights.entries {
      #expect(try copy.weights.floats(entry.name) == source.weights.floats(entry.name))
    }
    #expect(try Self.json(folder["b/config.json"])["torch_dtype"] as? String == "float32")
    // Over what is there only when asked; then no stale shard stays.
    let refused = message { try export.write(source, to: folder["b"], card: ModelCard(title: "b")) }
    #expect(refused.contains("--overwrite"))
    export.maxShardBytes = 1 << 40
    export.overwrite = true
    try export.write(source, to: folder["b"], card: ModelCard(title: "b"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder["b"])
    #expect(left.filter { $0.contains("safetensors") } == ["model.safetensors"])
    #expect(try folder.names() == ["a", "b"])
  }

  @Test("a file that cannot take its place loses neither the old model nor the new one")
  func notMoved() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"])
    let source = try ModelFiles.huggingFace(folder["a"])
    var export = HuggingFaceExport()
    export.overwrite = true
    try export.write(source, to: folder["b"], card: ModelCard(title: "b"))
    // A folder stands where the card is to go.
    try FileManager.default.removeItem(atPath: folder["b/README.md"])
    try FileManager.default.createDirectory(
      atPath: folder["b/README.md/x"], withIntermediateDirectories: true)
    let text = message { try export.write(source, to: folder["b"], card: ModelCard(title: "b")) }
    #expect(text.contains("README.md could not take the place of"))
    #expect(FileManager.default.fileExists(atPath: folder["b/model.safetensors"]))
    let kept = try #require(try folder.names().first { $0.hasPrefix("b.tmp-") })
    #expect(FileManager.default.fileExists(atPath: folder[kept + "/model.safetensors"]))
  }

  @Test("missing weight files are all named")
  func missingShards() throws {
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"])
    var export = HuggingFaceExport()
    export.maxShardBytes = 20_000
    try export.write(
      try ModelFiles.huggingFace(folder["a"]), to: folder["b"], card: ModelCard(title: "b"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder["b"])
      .filter { $0.hasSuffix(".safetensors") }.sorted()
    for name in names.dropFirst() {
      try FileManager.default.removeItem(atPath: folder["b"] + "/" + name)
    }
    let text = message { _ = try ModelFiles.huggingFace(folder["b"]) }
    for name in names.dropFirst() { #expect(text.contains(name)) }
    #expect(text.contains("\(names.count - 1) of \(names.count) weight files are missing"))
  }

  @Test("an export that fails leaves nothing, and what was there stays")
  func abandoned() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    try TinyModel.make(folder["a"])
    let source = try ModelFiles.huggingFace(folder["a"])
    #expect(throws: Stop.self) {
      try HuggingFaceExport().write(source, to: folder["b"], card: ModelCard(title: "b")) { _, _ in
        throw Stop()
      }
    }
    #expect(throws: Stop.self) {
      try CheckpointImport.write(source, to: folder["b.h5"]) { _, _ in throw Stop() }
    }
    #expect(throws: Stop.self) {
      try GGUFExport().write(source, to: folder["b.gguf"], name: "b") { _, _ in throw Stop() }
    }
    #expect(try folder.names() == ["a"])
    try folder.write("b.gguf", [1, 2, 3])
    #expect(
      message { try GGUFExport().write(source, to: folder["b.gguf"], name: "b") }
        .contains("b.gguf exists; give --overwrite"))
    #expect(
      message { try CheckpointImport.write(source, to: folder["a"], overwrite: true) }
        .contains("exists"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder["b.gguf"])) == Data([1, 2, 3]))
  }

  @Test("the card has front matter and a table, whatever the values are")
  func card() {
    let card = ModelCard(
      title: "T", baseModel: "a: b \"c\"", license: "apache-2.0",
      facts: [("objective", "sppo"), ("odd", "a|b\nc")])
    #expect(
      card.markdown == """
        ---
        library_name: transformers
        pipeline_tag: text-generation
        license: apache-2.0
        base_model: "a: b \\"c\\""
        tags:
        - spar
        ---

        # T

        | | |
        |---|---|
        | objective | sppo |
        | odd | a\\|b c |

        """)
  }
}

/// A golden model with the tiny tokenizer beside it.
enum GoldenCopy {
  static func make(_ name: String, in folder: TemporaryFolder) throws {
    let golden = try #require(Golden.folder) + "/models/\(name)"
    try FileManager.default.createDirectory(
      atPath: folder[name], withIntermediateDirectories: true)
    for file in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: golden + "/" + file, toPath: folder[name] + "/" + file)
    }
    try TinyModel.addTexts(to: folder[name])
  }
}
