import Foundation
import SparActivations
import SparCompute
import SparModel
import SparStore
import Testing

/// activations.h5: what stands in it, and that nothing but the texts decides it.
@Suite("Capture") struct CaptureTests {
  let model: LanguageModel
  let folder: TestFolder

  init() throws {
    model = try tinyModel()
    folder = try TestFolder()
  }

  /// Texts of 2 to 13 tokens, the last third of them completions.
  static func texts(_ count: Int) -> [CaptureGroup] {
    (0..<count).map { number in
      let length = 2 + (number * 7) % 12
      let ids = (0..<length).map { Int32(3 + (number * 5 + $0 * 11) % 37) }
      let cut = max(length - length / 3, 1)
      return CaptureGroup(
        index: number, prompt: Array(ids[..<cut]),
        answers: [.init(id: "t\(number)", ids: Array(ids[cut...]))])
    }
  }

  static func options(
    _ positions: CaptureOptions.Positions = .all, _ precision: ActivationPrecision = .f32,
    sites: Set<ActivationSite> = Set(ActivationSite.allCases)
  ) -> CaptureOptions {
    var options = CaptureOptions()
    options.sites = sites
    options.positions = positions
    options.precision = precision
    return options
  }

  /// Captures `texts`; stops after so many additions as a killed process does, when asked.
  func capture(
    _ texts: [CaptureGroup], _ options: CaptureOptions, _ name: String, rowsPerPass: Int = 20,
    killedAfter: Int? = nil
  ) throws {
    let capture = try ActivationCapture(model, options, inputs: ["test"], output: folder[name])
    let packer = TextCapture(capture, model, rowsPerPass: rowsPerPass)
    for text in texts[packer.done...].prefix(killedAfter ?? .max) { try packer.add(text) }
    if killedAfter != nil { return }
    try packer.flush()
    try capture.finish()
  }

  struct Content: Equatable {
    var numbers: [String: [Float]] = [:]
    var integers: [String: [Int64]] = [:]
    var ids: [String] = []
  }

  func read(_ name: String) throws -> Content {
    let file = try H5File.open(folder[name])
    var content = Content()
    guard case .strings(let series)? = try file.attribute("series") else { return content }
    for one in series { content.numbers[one] = try file.read(one, as: Float.self) }
    for one in ["sample/prompt", "sample/step", "sample/offsets", "row/sample"] {
      content.integers[one] = try file.read(one, as: Int64.self)
    }
    for one in ["sample/answer", "sample/prompt_tokens", "row/position", "row/token"] {
      content.integers[one] = try file.read(one, as: Int32.self).map(Int64.init)
    }
    content.ids = try file.readStrings("sample/id")
    return content
  }

  @Test("rows are the texts' tokens, with their places, and the values of a plain pass")
  func content() throws {
    let texts = Self.texts(5)
    try capture(texts, Self.options(), "a.h5")
    let found = try read("a.h5")
    #expect(found.ids == ["t0", "t1", "t2", "t3", "t4"])
    #expect(found.integers["sample/prompt"] == [0, 1, 2, 3, 4])
    #expect(found.integers["sample/prompt_tokens"] == texts.map { Int64($0.prompt.count) })
    let all = texts.map { $0.prompt + $0.answers[0].ids }
    #expect(found.integers["row/token"] == all.flatMap { $0.map(Int64.init) })
    #expect(found.integers["row/position"] == all.flatMap { $0.indices.map(Int64.init) })
    #expect(
      found.integers["row/sample"]
        == all.enumerated().flatMap { Array(repeating: Int64($0), count: $1.count) })
    let logits = try #require(found.numbers["logits"])
    let offsets = try #require(found.integers["sample/offsets"])
    for (number, ids) in all.enumerated() {
      var batch = PackedBatch()
      batch.append(ids)
      let plain = try model.logits(batch).array()
      let own = logits[Int(offsets[number]) * 40..<Int(offsets[number + 1]) * 40]
      #expect(zip(own, plain).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    #expect(try folder.names() == ["a.h5"])
  }

  @Test("passes of other sizes change no bit")
  func passes() throws {
    try capture(Self.texts(30), Self.options(), "small.h5", rowsPerPass: 1)
    try capture(Self.texts(30), Self.options(), "large.h5", rowsPerPass: 300)
    #expect(try read("small.h5") == read("large.h5"))
  }

  @Test(
    "killed and started again, it gives the same file",
    arguments: [CaptureOptions.Positions.all, .last, .completion])
  func resume(positions: CaptureOptions.Positions) throws {
    let options = Self.options(positions)
    try capture(Self.texts(40), options, "whole.h5")
    try capture(Self.texts(40), options, "part.h5", killedAfter: 17)
    #expect(try folder.names() == ["part.h5.journal", "part.h5.values", "whole.h5"])
    // A kill in the middle of a write leaves bytes that no line of the journal speaks of.
    let handle = try #require(FileHandle(forWritingAtPath: folder["part.h5.values"]))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(repeating: 7, count: 999))
    try handle.close()
    let resumed = try ActivationCapture(
      model, options, inputs: ["test"], output: folder["part.h5"])
    #expect(resumed.samples > 5 && resumed.samples < 17)
    try capture(Self.texts(40), options, "part.h5", killedAfter: 9)
    try capture(Self.texts(40), options, "part.h5")
    #expect(try read("part.h5") == read("whole.h5"))
    #expect(try folder.names() == ["part.h5", "whole.h5"])
  }

  @Test("other settings do not go on from a journal that is not theirs")
  func otherSettings() throws {
    try capture(Self.texts(20), Self.options(), "a.h5", killedAfter: 15)
    let other = try ActivationCapture(
      model, Self.options(.last), inputs: ["test"], output: folder["a.h5"])
    #expect(other.samples == 0)
  }

  @Test("a complete file is not made again; one of other settings is")
  func complete() throws {
    try capture(Self.texts(6), Self.options(.last), "a.h5")
    let same = try ActivationCapture(
      model, Self.options(.last), inputs: ["test"], output: folder["a.h5"])
    #expect(same.isComplete)
    let other = try ActivationCapture(
      model, Self.options(.all), inputs: ["test"], output: folder["a.h5"])
    #expect(!other.isComplete)
  }

  @Test("memory does not grow with the number of texts")
  func memory() throws {
    try capture(Self.texts(12 * 4), Self.options(), "few.h5", rowsPerPass: 64)
    let few = model.backend.pool.usage.peak
    try capture(Self.texts(12 * 100), Self.options(), "many.h5", rowsPerPass: 64)
    #expect(model.backend.pool.usage.peak == few)
  }

  @Test("answers share their prompt; samples stand in the order of their passes' numbers")
  func groups() throws {
    let capture = try ActivationCapture(
      model, Self.options(.completion, sites: [.residual]), inputs: [], output: folder["g.h5"])
    func group(_ index: Int, _ prompt: [Int32]) -> CaptureGroup {
      CaptureGroup(
        index: index, prompt: prompt,
        answers: [
          .init(id: "\(index)/0", number: 0, ids: [7, 8, 9], label: 1),
          .init(id: "\(index)/1", number: 1, ids: [10, 2], label: -1),
        ], step: 3)
    }
    try capture.add([group(5, [11, 12, 13])], order: 5, under: model)
    try capture.add([group(2, [14, 15])], order: 2, under: model)
    try capture.finish()
    let found = try read("g.h5")
    #expect(found.ids == ["2/0", "2/1", "5/0", "5/1"])
    #expect(found.integers["sample/answer"] == [0, 1, 0, 1])
    #expect(found.integers["sample/step"] == [3, 3, 3, 3])
    #expect(found.integers["row/position"] == [2, 3, 4, 2, 3, 3, 4, 5, 3, 4])
    #expect(found.integers["row/token"] == [7, 8, 9, 10, 2, 7, 8, 9, 10, 2])
    var alone = PackedBatch()
    alone.append([11, 12, 13, 10, 2])
    var plain: [Float] = []
    let selection = try ActivationSelection(
      layers: .some([2]), sites: [.residual], config: model.config)
    try model.readActivations(alone, rows: [3, 4], of: selection) { plain += Array($1) }
    let own = try #require(found.numbers["residual/2"]).suffix(2 * 16)
    #expect(zip(own, plain).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test("a text longer than the model is an error with both numbers")
  func tooLong() throws {
    let capture = try ActivationCapture(model, Self.options(), inputs: [], output: folder["l.h5"])
    let text = CaptureGroup(
      index: 0, prompt: Array(repeating: 3, count: 129), answers: [.init(id: "0", ids: [])])
    #expect(throws: ModelError(.promptTooLong(tokens: 129, limit: 128), path: "tiny")) {
      try capture.add([text], order: 0, under: model)
    }
  }
}
