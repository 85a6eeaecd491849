import CSparPlugin
import Foundation
import RankerFixtures
import SparCompute
import SparModel
import SparRanking
import SparText
import Testing

/// What a ranker plugin would do with the extension.
private struct Client {
  var calls = spar_tm_ext()
  let host: HostDouble

  init(_ lender: TextModelExtension) throws {
    host = HostDouble([SPAR_TEXT_MODEL_EXT: lender.table])
    let offered = try #require(host.table.pointee.extension(host.table, SPAR_TEXT_MODEL_EXT))
    spar_adopt(&calls, MemoryLayout<spar_tm_ext>.size, offered)
  }

  func open(_ path: String) throws -> UnsafeMutableRawPointer {
    var model: UnsafeMutableRawPointer?
    let status = calls.open(host.table, path, &model)
    try #require(status == spar_status(SPAR_OK), "\(host.error)")
    return try #require(model)
  }

  func tensor(_ model: UnsafeMutableRawPointer, _ name: String) throws -> (
    shape: [Int], values: [Float]
  )? {
    var shape = [Int64](repeating: 0, count: 4)
    var rank: Int32 = 0
    try #require(calls.tensor(model, name, &shape, &rank, nil, 0) == spar_status(SPAR_OK))
    guard rank >= 0 else { return nil }
    let sizes = shape.prefix(Int(rank)).map { Int($0) }
    var values = [Float](repeating: .nan, count: sizes.reduce(1, *))
    try #require(
      calls.tensor(model, name, &shape, &rank, &values, Int64(values.count))
        == spar_status(SPAR_OK))
    return (sizes, values)
  }

  /// Hidden states [rows, C] of a prefix and of its sequences.
  func hidden(
    _ model: UnsafeMutableRawPointer, prefix: [Int32], prefixRows: [Int64],
    sequences: [([Int32], [Int64])], width: Int = 48
  ) -> (status: spar_status, prefix: [Float], sequences: [[Float]]) {
    var kept: [UnsafeMutableRawPointer] = []
    defer { for memory in kept { memory.deallocate() } }
    func lend<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
      let memory = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
      memory.initialize(from: values, count: values.count)
      kept.append(UnsafeMutableRawPointer(memory))
      return memory
    }
    func rows(_ ids: [Int32], _ rows: [Int64]) -> spar_tm_rows {
      spar_tm_rows(
        ids: lend(ids), n_ids: Int64(ids.count), rows: lend(rows), n_rows: Int64(rows.count),
        hidden: lend([Float](repeating: .nan, count: rows.count * width)))
    }
    let lent = sequences.map { rows($0.0, $0.1) }
    var group = spar_tm_group(
      prefix: rows(prefix, prefixRows), sequences: lend(lent), n: Int64(lent.count))
    let status = calls.hidden(model, &group, 1)
    func read(_ rows: spar_tm_rows) -> [Float] {
      Array(UnsafeBufferPointer(start: rows.hidden, count: Int(rows.n_rows) * width))
    }
    return (status, read(group.prefix), lent.map(read))
  }
}

@Suite(
  "Lending text models",
  .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct TextModelExtensionTests {
  let golden: GoldenGPM

  init() throws { golden = try GoldenGPM(try #require(shared)) }

  private func lender(rows: Int = 2048) -> TextModelExtension {
    TextModelExtension {
      try CausalTextModel(.open($0), backend: .reference(), rowsPerPass: rows)
    }
  }

  @Test(
    "states and heads give transformers' embeddings, however many passes", arguments: [1, 40, 2048])
  func embeddings(rows: Int) throws {
    let client = try Client(lender(rows: rows))
    let model = try client.open(golden.folder.path)
    defer { client.calls.close(model) }
    let head = try #require(try client.tensor(model, "value_head.weight"))
    #expect(head.shape == [6, 48])
    let gate = try #require(try client.tensor(model, "prompt_head.weight"))
    let prompt = try golden.prompt
    let answers = try golden.responses
    let states = client.hidden(
      model, prefix: prompt, prefixRows: [Int64(prompt.count - 1)],
      sequences: answers.map { ($0, [Int64($0.count - 1)]) })
    #expect(states.status == spar_status(SPAR_OK), "\(client.host.error)")
    let expected = try golden.floats("embedding")
    for (answer, state) in states.sequences.enumerated() {
      let embedding = product(head.values, state)
      #expect(distance(embedding, Array(expected[(6 * answer)..<(6 * answer + 6)])) < 1e-4)
    }
    let logits = product(gate.values, states.prefix).map(Double.init)
    let sum = logits.map(exp).reduce(0, +)
    #expect(distance(logits.map { Float(exp($0) / sum) }, try golden.floats("lambda")) < 1e-4)
    // The same without a prefix, and a row in the middle.
    let plain = client.hidden(
      model, prefix: [], prefixRows: [],
      sequences: [(prompt + answers[2], [Int64(prompt.count - 1), Int64(prompt.count + 20)])])
    #expect(distance(plain.sequences[0], states.prefix + states.sequences[2]) < 1e-4)
  }

  @Test("facts, ids, tokens and the template") func text() throws {
    let client = try Client(lender())
    let model = try client.open(golden.folder.path)
    defer { client.calls.close(model) }
    var info = spar_tm_info()
    info.struct_size = UInt64(MemoryLayout<spar_tm_info>.size)
    #expect(client.calls.info(model, &info) == spar_status(SPAR_OK))
    #expect(String(cString: info.model_type) == "llama")
    #expect(info.hidden_size == 48 && info.vocabulary_size == 160 && info.max_positions == 256)
    #expect(info.bos == 1 && info.eos == 2 && info.pad == 0 && info.unk == -1)
    #expect(info.kind == UInt32(SPAR_TM_CAUSAL))
    #expect(String(cString: info.bos_token) == "<t1>" && String(cString: info.eos_token) == "<t2>")
    #expect(String(cString: info.config_json).contains("\"hidden_size\": 48"))
    let written = "<t7><t12>"
    written.withCString { c in
      var ids = [Int32](repeating: -9, count: 4)
      var count: Int64 = 0
      let text = spar_text(p: c, n: UInt64(written.utf8.count))
      #expect(client.calls.encode(model, text, 0, &ids, 4, &count) == spar_status(SPAR_OK))
      #expect(count == 2 && ids == [7, 12, -9, -9])
      #expect(
        client.calls.encode(model, text, UInt64(SPAR_TM_SPECIAL), &ids, 1, &count)
          == spar_status(SPAR_OK))
      #expect(count == 3 && ids == [1, 12, -9, -9])  // room for one: the number is told
      var id: Int32 = 0
      #expect(
        client.calls.token(model, spar_text(p: c, n: 4), &id) == spar_status(SPAR_OK) && id == 7)
      #expect(
        client.calls.token(model, spar_text(p: c, n: 3), &id) == spar_status(SPAR_OK) && id == -1)
      var turn = spar_message(role: spar_text(p: c, n: 0), content: text)
      var rendered = [CChar](repeating: 0, count: 32)
      #expect(
        client.calls.render(
          model, &turn, 1, UInt64(SPAR_TM_GENERATION_PROMPT), &rendered, 32, &count)
          == spar_status(SPAR_OK))
      let bytes = rendered.prefix(Int(count)).map(UInt8.init(bitPattern:))
      #expect(String(decoding: bytes, as: UTF8.self) == written)
    }
  }

  @Test("a plugin's mistakes and long texts are refused in words") func hostile() throws {
    let client = try Client(lender())
    let model = try client.open(golden.folder.path)
    defer { client.calls.close(model) }
    let refused = spar_status(SPAR_E_INTERNAL)
    #expect(
      client.hidden(model, prefix: [], prefixRows: [], sequences: [([5, 160], [0])]).status
        == refused)
    #expect(client.host.error.contains("token id 160 of 160"))
    #expect(
      client.hidden(model, prefix: [4], prefixRows: [], sequences: [([5, 6], [2])]).status
        == refused)
    #expect(client.host.error.contains("row 2 of 2"))
    let long = [Int32](repeating: 9, count: 250)
    #expect(
      client.hidden(model, prefix: Array(long.prefix(7)), prefixRows: [], sequences: [(long, [0])])
        .status == spar_status(SPAR_E_INVALID))
    #expect(client.host.error.contains("257 positions are needed, the model has 256"))
    #expect(try client.tensor(model, "score.weight") == nil)
    var missing: UnsafeMutableRawPointer?
    #expect(client.calls.open(client.host.table, "/nowhere", &missing) != spar_status(SPAR_OK))
    #expect(missing == nil && client.host.error.contains("/nowhere"))
  }

  @Test("logits of chosen tokens are those of the language model") func logits() throws {
    let client = try Client(lender())
    let model = try client.open(golden.folder.path)
    defer { client.calls.close(model) }
    let prompt = try golden.prompt
    let states = client.hidden(
      model, prefix: [], prefixRows: [], sequences: [(prompt, (0..<10).map { Int64($0) })])
    var out = [Float](repeating: .nan, count: 20)
    #expect(
      client.calls.logits(model, states.sequences[0], 10, [3, 159], 2, &out)
        == spar_status(SPAR_OK))
    let plain = try LanguageModel.load(golden.folder.path, backend: .reference())
    var batch = PackedBatch()
    batch.append(prompt)
    let all = try plain.logits(batch).array()
    var expected: [Float] = []
    for row in 0..<10 { expected += [all[row * 160 + 3], all[row * 160 + 159]] }
    #expect(distance(out, expected) < 1e-4)
  }

  @Test("a classifier without an output embedding loads, and has no logits") func headless() throws
  {
    let path = golden.folder.file("model.safetensors")
    let whole = try SafetensorsFile(path)
    let tensors = try whole.entries.filter { !$0.name.contains("lm_head") }.map { entry in
      let values = try whole.floats(entry.name)
      return SafetensorsWriter.Tensor(
        name: entry.name, type: .f32, shape: entry.shape,
        lend: { body in try values.withUnsafeBufferPointer(body) })
    }
    try SafetensorsWriter.write(tensors, metadata: [:], to: path)
    let config = golden.folder.file("config.json")
    let text = try String(contentsOfFile: config, encoding: .utf8)
    try text.replacing("\"tie_word_embeddings\": true", with: "\"tie_word_embeddings\": false")
      .write(toFile: config, atomically: true, encoding: .utf8)
    let client = try Client(lender())
    let model = try client.open(golden.folder.path)
    defer { client.calls.close(model) }
    let states = client.hidden(
      model, prefix: [], prefixRows: [], sequences: [(try golden.prompt, [9])])
    #expect(states.status == spar_status(SPAR_OK))
    var out: [Float] = [0]
    #expect(
      client.calls.logits(model, states.sequences[0], 1, [3], 1, &out)
        == spar_status(SPAR_E_INVALID))
    #expect(client.host.error.contains("lm_head.weight"))
  }

  @Test("weights are read for their identity when somebody asks, not at opening") func identity()
    throws
  {
    let spy = Spy(try CausalTextModel(.open(golden.folder.path), backend: .reference()))
    let client = try Client(TextModelExtension { _ in spy })
    let model = try client.open("m")
    defer { client.calls.close(model) }
    var info = spar_tm_info()
    info.struct_size = UInt64(MemoryLayout<spar_tm_info>.size)
    #expect(client.calls.info(model, &info) == spar_status(SPAR_OK))
    #expect(spy.asked == 0)
    var text = [CChar](repeating: 0, count: 64)
    var count: Int64 = 0
    #expect(client.calls.digest(model, &text, 64, &count) == spar_status(SPAR_OK))
    let bytes = text.prefix(Int(count)).map(UInt8.init(bitPattern:))
    #expect(String(decoding: bytes, as: UTF8.self) == spy.model.digest && count == 32)
    #expect(spy.asked == 1)
  }

  @Test("a model that is open with other weights is not shared") func weights() throws {
    var policy = WeightsPolicy.f32
    var loaded = 0
    let lender = TextModelExtension(
      weights: { policy },
      load: { path in
        loaded += 1
        return try CausalTextModel(.open(path), backend: .reference(), weights: policy)
      })
    let client = try Client(lender)
    let first = try client.open(golden.folder.path)
    policy = .stored
    let second = try client.open(golden.folder.path)
    let third = try client.open(golden.folder.path)
    #expect(loaded == 2 && lender.opened.count == 2)
    for model in [first, second, third] { client.calls.close(model) }
  }

  @Test("a path is loaded once for all who hold it open, and freed with the last") func sharing()
    throws
  {
    let lender = lender()
    let client = try Client(lender)
    let first = try client.open(golden.folder.path)
    let second = try client.open(golden.folder.path)
    #expect(lender.opened.count == 1)
    client.calls.close(first)
    #expect(lender.opened.count == 1)
    client.calls.close(second)
    #expect(lender.opened.isEmpty)
  }
}

/// Counts who asks for the identity of the weights.
private final class Spy: TextModel {
  let model: CausalTextModel
  var asked = 0

  init(_ model: CausalTextModel) { self.model = model }

  var facts: TextModelFacts { model.facts }
  var tokenizer: Tokenizer { model.tokenizer }
  var weights: any WeightSource { model.weights }
  var digest: String {
    asked += 1
    return model.digest
  }

  func render(_ messages: [ChatMessage], generationPrompt: Bool) throws -> String {
    try model.render(messages, generationPrompt: generationPrompt)
  }

  func hidden(
    _ groups: [TextModelGroup], between: (_ done: Int, _ of: Int) throws -> Void
  ) throws -> [TextModelStates] {
    try model.hidden(groups, between: between)
  }

  func logits(_ hidden: [Float], rows: Int, ids: [Int32]) throws -> [Float] {
    try model.logits(hidden, rows: rows, ids: ids)
  }
}

/// W·x for W [n, C] row-major.
private func product(_ weights: [Float], _ x: [Float]) -> [Float] {
  stride(from: 0, to: weights.count, by: x.count).map { row in
    var sum: Float = 0
    for (column, value) in x.enumerated() { sum += weights[row + column] * value }
    return sum
  }
}

private func distance(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}
