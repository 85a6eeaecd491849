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
  struct Item {
    var messages: [ChatMessage]
    var completions: [String]
  }
  var calls: spar_lm_ext
  let host: HostDouble

  init(_ lender: LanguageModelExtension) throws {
    host = HostDouble([SPAR_LANGUAGE_MODEL_EXT: lender.table])
    let offered = try #require(host.table.pointee.extension(host.table, SPAR_LANGUAGE_MODEL_EXT))
    calls = spar_lm_ext()
    spar_adopt(&calls, MemoryLayout<spar_lm_ext>.size, offered)
  }

  func open(_ path: String) -> (status: spar_status, model: UnsafeMutableRawPointer?) {
    var model: UnsafeMutableRawPointer?
    let status = calls.open(host.table, path, &model)
    return (status, model)
  }

  func score(_ model: UnsafeMutableRawPointer?, _ items: [Item]) -> (
    status: spar_status, sums: [[Double]], tokens: [[Int64]]
  ) {
    var kept: [UnsafeMutablePointer<CChar>] = []
    defer { for text in kept { free(text) } }
    func lend(_ text: String) -> spar_text {
      let copy = strdup(text + "<not part of it>")!
      kept.append(copy)
      return spar_text(p: copy, n: UInt64(text.utf8.count))
    }
    var sums = [[Double]]()
    var tokens = [[Int64]]()
    let lent = items.map { item in
      let n = item.completions.count
      let messages = UnsafeMutableBufferPointer<spar_message>.allocate(
        capacity: item.messages.count)
      _ = messages.initialize(
        from: item.messages.map { spar_message(role: lend($0.role), content: lend($0.content)) })
      let completions = UnsafeMutableBufferPointer<spar_text>.allocate(capacity: n)
      _ = completions.initialize(from: item.completions.map(lend))
      let sum = UnsafeMutablePointer<Double>.allocate(capacity: n)
      sum.initialize(repeating: .nan, count: n)
      let count = UnsafeMutablePointer<Int64>.allocate(capacity: n)
      count.initialize(repeating: -1, count: n)
      return spar_lm_item(
        messages: messages.baseAddress, n_messages: Int64(messages.count),
        completions: completions.baseAddress, n: Int64(n), sum: sum, n_tokens: count)
    }
    let status = calls.score(model, lent, Int64(lent.count))
    for item in lent {
      sums.append((0..<Int(item.n)).map { item.sum[$0] })
      tokens.append((0..<Int(item.n)).map { item.n_tokens[$0] })
      item.messages.deallocate()
      item.completions.deallocate()
      item.sum.deallocate()
      item.n_tokens.deallocate()
    }
    return (status, sums, tokens)
  }
}

@Suite(
  "Lending language models",
  .enabled(if: shared != nil, "no folder shared/golden beside the project: set SPAR_SHARED"))
struct LanguageModelExtensionTests {
  let folder: Folder
  let model: LanguageModel

  init() throws {
    folder = try Folder()
    try layTinyModel(try #require(shared), in: folder.path)
    model = try LanguageModel.load(folder.path, backend: .reference())
  }

  private let items = [
    Client.Item(
      messages: [.init(role: "system", content: "Be."), .init(role: "user", content: "Hi?")],
      completions: ["Hello.", "", "No, not to you!"]),
    Client.Item(
      messages: [.init(role: "user", content: "")],
      completions: (0..<5).map { String(repeating: "ab", count: $0) }),
    Client.Item(messages: [], completions: ["no turn"]),
    Client.Item(messages: [.init(role: "user", content: "x")], completions: []),
  ]

  /// Every sum by the plainest way.
  private func expected() throws -> [[Double]] {
    try items.map { item in
      let prompt = item.messages.isEmpty ? [1] : try model.prompt(item.messages)
      return try item.completions.map {
        try model.plainSum(prompt: prompt, answer: model.answer($0))
      }
    }
  }

  @Test(
    "scores are those of the plain model, however many passes they take",
    arguments: [1, 64, 2048])
  func scores(rows: Int) throws {
    var passes = 0
    let lender = LanguageModelExtension(
      rowsPerPass: rows, onProgress: { passes = max($0, $1) }, load: { _ in model })
    let client = try Client(lender)
    let (status, handle) = client.open(folder.path)
    #expect(status == spar_status(SPAR_OK))
    let found = client.score(handle, items)
    #expect(found.status == spar_status(SPAR_OK), "\(client.host.error)")
    for (sums, plain) in zip(found.sums, try expected()) {
      #expect(isClose(sums, plain, 1e-4), "\(sums) \(plain)")
    }
    #expect(found.tokens[0] == [7, 1, 16])
    #expect(found.tokens[1] == [1, 3, 5, 7, 9] as [Int64])
    let mostPasses = 9  // one for each completion
    let fewest = rows == 2048 ? 1 : 2
    #expect(passes >= (rows == 1 ? mostPasses : fewest))
    #expect(passes <= (rows == 2048 ? 1 : mostPasses))
    client.calls.close(handle)
  }

  @Test("a path is loaded once for all who hold it open, and freed with the last") func cache()
    throws
  {
    var loads: [String] = []
    let lender = LanguageModelExtension { path in
      loads.append(path)
      return try LanguageModel.load(path, backend: .reference())
    }
    let client = try Client(lender)
    let first = client.open(folder.path).model
    let second = client.open(folder.path).model
    #expect(loads == [folder.path])
    client.calls.close(first)
    #expect(client.score(second, [items[0]]).status == spar_status(SPAR_OK))
    client.calls.close(second)
    client.calls.close(client.open(folder.path).model)
    #expect(loads.count == 2)
  }

  @Test("what cannot be loaded is told in words") func loadFailure() throws {
    let client = try Client(
      LanguageModelExtension { try LanguageModel.load($0, backend: .reference()) })
    let (status, model) = client.open(folder.file("nothing-here"))
    #expect(status != spar_status(SPAR_OK) && model == nil)
    #expect(client.host.error.contains("nothing-here"))
  }

  @Test("texts beyond the model's positions are refused") func tooLong() throws {
    let lender = LanguageModelExtension { _ in model }
    let client = try Client(lender)
    let handle = client.open("m").model
    let long = Client.Item(
      messages: [.init(role: "user", content: "x")],
      completions: ["fits", String(repeating: "y", count: 250)])
    #expect(client.score(handle, [long]).status == spar_status(SPAR_E_INVALID))
    #expect(client.host.error.contains("the model has 256"))
    client.calls.close(handle)
  }

  @Test("a cancelled call ends between two passes") func cancelled() throws {
    var done = 0
    let lender = LanguageModelExtension(
      rowsPerPass: 1, onProgress: { now, _ in done = now }, load: { _ in model })
    let client = try Client(lender)
    let handle = client.open("m").model
    client.host.isCancelled = true
    #expect(client.score(handle, items).status == spar_status(SPAR_E_CANCELLED))
    #expect(done == 1)
    client.calls.close(handle)
  }

  @Test("damaged weights are found, not passed on as a score") func notFinite() throws {
    let broken = try LanguageModel.load(folder.path, backend: .reference())
    broken.architecture.parameters[1].value.floats[0] = .nan
    let lender = LanguageModelExtension { _ in broken }
    let client = try Client(lender)
    let handle = client.open("m").model
    #expect(client.score(handle, [items[0]]).status == spar_status(SPAR_E_INTERNAL))
    #expect(client.host.error.contains("weights are damaged"))
    client.calls.close(handle)
  }
}
