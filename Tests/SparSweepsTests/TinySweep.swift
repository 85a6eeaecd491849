import Foundation
import SparModel
import SparTensor

/// A folder that is gone when the test ends.
final class WorkFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "spar-sweep-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      print("cannot remove \(path): \(error)")
    }
  }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: file(name), atomically: true, encoding: .utf8)
  }
}

/// A model of one layer with a tokenizer of one id per character, a few prompts, and the program
/// `spar`, run in a folder in which `a` and `b` stand for independent machines.
final class TinySweep {
  let work: WorkFolder

  init() throws {
    work = try WorkFolder()
    for folder in ["model", "a", "b"] {
      try FileManager.default.createDirectory(
        atPath: work.file(folder), withIntermediateDirectories: true)
    }
    try Self.layModel(work.file("model"))
    func prompts(_ count: Int, _ text: String) -> String {
      (0..<count).map { "{\"prompt\": \"\(text) \($0)?\"}\n" }.joined()
    }
    try work.write("train.jsonl", prompts(6, "Say"))
    try work.write("held.jsonl", prompts(3, "Tell"))
    try work.write(
      "recipe.yaml",
      """
      model: model
      prompts: train.jsonl
      output_dir: out
      iterations: 1
      generate: {pairs: 3, max_new_tokens: 8, temperature: 1.0}
      ranker: {name: length}
      objective: {name: sppo, beta: 0.01}
      train: {learning_rate: 1.0e-3, per_device_train_batch_size: 2, max_length: 64,
        max_prompt_length: 32, logging_steps: 1, save_steps: 0}
      evaluate: {prompts: held.jsonl, pairs: 2, resamples: 100}

      """)
  }

  // MARK: - The program

  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("spar")

  private func start(_ folder: String, _ arguments: [String]) throws -> (Process, String) {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: work.file(folder))
    let text = work.file("text-\(UUID().uuidString)")
    for ending in [".out", ".err"] {
      try Data().write(to: URL(fileURLWithPath: text + ending))
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: text + ".out")
    process.standardError = FileHandle(forWritingAtPath: text + ".err")
    try process.run()
    return (process, text)
  }

  @discardableResult
  func spar(in folder: String = "a", _ arguments: String...) throws -> Outcome {
    try run(in: folder, arguments)
  }

  func run(in folder: String, _ arguments: [String]) throws -> Outcome {
    let (process, text) = try start(folder, arguments)
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: try String(contentsOfFile: text + ".out", encoding: .utf8),
      errors: try String(contentsOfFile: text + ".err", encoding: .utf8))
  }

  /// Kills the program after so many milliseconds; true when it had not ended before.
  func sparKilled(in folder: String, after milliseconds: UInt32, _ arguments: String...) throws
    -> Bool
  {
    let (process, _) = try start(folder, arguments)
    usleep(1000 * milliseconds)
    let isRunning = process.isRunning
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    return isRunning
  }

  // MARK: - What it left

  func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: work.file(path)))
  }

  /// The evaluations of points p01…, in order.
  func evaluations(_ folder: String, points: Int) throws -> [Data] {
    try (1...points).map { try bytes("\(folder)/out/points/p0\($0)/iteration-1/evaluation.json") }
  }

  /// The lines of a log of stages: "computed generate" and the like, with the point.
  func log(_ path: String) throws -> [(action: String, stage: String, label: String)] {
    let text = String(decoding: try bytes(path), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard words.count >= 6, let dash = words[2].lastIndex(of: "-") else { return nil }
      return (words[1], String(words[2][..<dash]), words[5])
    }
  }

  func count(_ action: String, _ stage: String, in path: String) throws -> Int {
    try log(path).count { $0.action == action && $0.stage == stage }
  }

  func stageFolders(_ folder: String, _ stage: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: work.file("\(folder)/out/stages"))
      .filter { $0.hasPrefix(stage + "-") }.sorted().map { work.file("\(folder)/out/stages/\($0)") }
  }

  // MARK: - The model

  private static func layModel(_ folder: String) throws {
    func json(_ object: [String: Any], _ name: String) throws {
      try JSONSerialization.data(withJSONObject: object).write(
        to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    let (C, F, V) = (16, 24, 100)
    try json(
      [
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": C,
        "intermediate_size": F, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 8, "vocab_size": V, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "max_position_embeddings": 128, "tie_word_embeddings": true,
        "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2,
      ], "config.json")
    var random = Random(seed: 5, stage: .initialise)
    func tensor(_ name: String, _ shape: [Int]) -> SafetensorsWriter.Tensor {
      let values = (0..<shape.reduce(1, *)).map { _ in
        shape.count == 1 ? 1 : Float(random.uniform() - 0.5)
      }
      return .init(name: name, shape: shape, values: values)
    }
    let layer = "model.layers.0."
    try SafetensorsWriter.write(
      [
        tensor("model.embed_tokens.weight", [V, C]), tensor("model.norm.weight", [C]),
        tensor(layer + "input_layernorm.weight", [C]),
        tensor(layer + "post_attention_layernorm.weight", [C]),
        tensor(layer + "self_attn.q_proj.weight", [C, C]),
        tensor(layer + "self_attn.k_proj.weight", [8, C]),
        tensor(layer + "self_attn.v_proj.weight", [8, C]),
        tensor(layer + "self_attn.o_proj.weight", [C, C]),
        tensor(layer + "mlp.gate_proj.weight", [F, C]),
        tensor(layer + "mlp.up_proj.weight", [F, C]),
        tensor(layer + "mlp.down_proj.weight", [C, F]),
      ], to: folder + "/model.safetensors")
    var vocabulary = ["<pad>": 0, "<s>": 1, "</s>": 2, "Ġ": 3, "Ċ": 4]
    for byte in 33...126 as ClosedRange<UInt8> {
      vocabulary[String(UnicodeScalar(byte))] = vocabulary.count
    }
    let added = ["<pad>", "<s>", "</s>"].enumerated().map { id, content in
      [
        "id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false,
      ] as [String: Any]
    }
    let byteLevel: [String: Any] = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    try json(
      [
        "version": "1.0", "added_tokens": added, "normalizer": NSNull(),
        "pre_tokenizer": byteLevel, "post_processor": NSNull(), "decoder": byteLevel,
        "model": [
          "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
          "byte_fallback": false, "vocab": vocabulary, "merges": [String](),
        ] as [String: Any],
      ], "tokenizer.json")
    try json(
      [
        "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
        "chat_template": "{% for m in messages %}{{ m['content'] + '\\n' }}{% endfor %}",
      ], "tokenizer_config.json")
  }
}
