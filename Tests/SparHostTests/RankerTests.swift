import CSparPlugin
import Foundation
import Synchronization
import Testing

@testable import SparHost

private func query(_ prompt: String, _ responses: [String]) -> RankQuery {
  RankQuery(messages: [(role: "user", content: prompt)], responses: responses)
}

@Suite("Length ranker") struct LengthRankerTests {
  @Test(
    "counts what it is told to count",
    arguments: [("characters", [2.0, 5.0]), ("bytes", [3, 5]), ("words", [1, 2])])
  func units(unit: String, lengths: [Double]) throws {
    let ranker = try builtHost().makeRanker("length", options: ["unit": unit, "scale": "2"])
    let result = try ranker.rank([query("?", ["äx", "ab cd"])])[0]
    #expect(result.score == lengths)
    #expect(result.raw == [0, (lengths[0] - lengths[1]) / 2, (lengths[1] - lengths[0]) / 2, 0])
    #expect(abs(result.pairwise[1] - 1 / (1 + exp(-result.raw[1]))) < 1e-15)
  }

  @Test("takes batches of any shape, and empty ones")
  func shapes() throws {
    let ranker = try builtHost().makeRanker("length", options: [:])
    #expect(try ranker.rank([]).isEmpty)
    let long = String(repeating: "x", count: 1 << 20)
    let results = try ranker.rank([
      query("a", ["one"]), query("b", []), query("c", ["", long, "\u{0}x"]),
    ])
    #expect(results.map(\.k) == [1, 0, 3])
    #expect(results[0].pairwise == [0.5])
    #expect(results[2].score == [0, 1_048_576, 2])
  }
}

@Suite("Likelihood ranker", .serialized) struct LikelihoodRankerTests {
  @Test("is the difference of mean log-probabilities, from one call of the model")
  func score() throws {
    let host = try builtHost()
    let model = FakeModel(on: host)
    let ranker = try host.makeRanker("likelihood", options: ["model": "fake", "scale": "0.5"])
    let result = try ranker.rank([query("xx", ["aa", "bbb"]), query("y", ["cccc"])])
    #expect(model.calls == 1 && model.items == 3 && model.opened == ["fake"])
    // The fake says log p(y | x) = -(|x| + 1) |y| over |y| + 1 tokens, end token included.
    let first = try #require(result[0].score)
    let second = try #require(result[1].score)
    #expect(abs(first[0] - (-6 + 2) / 3.0) < 1e-12)
    #expect(abs(first[1] - (-9 + 3) / 4.0) < 1e-12)
    #expect(abs(second[0] - (-8 + 4) / 5.0) < 1e-12)
    #expect(abs(result[0].raw[1] - (first[0] - first[1]) / 0.5) < 1e-12)
  }

  @Test("leaves the unconditional part out at weight 0, and sums on request")
  func options() throws {
    let host = try builtHost()
    let model = FakeModel(on: host)
    let ranker = try host.makeRanker(
      "likelihood", options: ["unconditional_weight": "0", "length_normalisation": "0"])
    #expect(try ranker.rank([query("xx", ["aa", "bbb"])])[0].score == [-6, -9])
    #expect(model.items == 1)
  }

  @Test("closes its model, and passes on why a model cannot be opened")
  func lifetime() throws {
    let host = try builtHost()
    let model = FakeModel(on: host)
    do {
      _ = try host.makeRanker("likelihood", options: [:])
    }
    #expect(model.closed == 1)
    let error = #expect(throws: PluginError.self) {
      try host.makeRanker("likelihood", options: ["model": "missing"])
    }
    let text = "\(try #require(error))"
    #expect(text.contains("no model 'missing' here") && text.contains("SPAR_E_IO"))
  }

  @Test("says that a host without language models has none")
  func noExtension() throws {
    let host = try builtHost()
    let error = #expect(throws: PluginError.self) {
      try host.makeRanker("likelihood", options: [:])
    }
    #expect("\(error as Any)".contains("spar.language-model/1"))
  }
}

/// A language model that counts bytes.  Its state is global: C functions carry no context.
private final class FakeModel {
  struct State {
    var opened: [String] = []
    var closed = 0
    var calls = 0
    var items = 0
  }
  static let state = Mutex(State())
  nonisolated(unsafe) static let table: UnsafePointer<spar_lm_ext> = {
    let table = UnsafeMutablePointer<spar_lm_ext>.allocate(capacity: 1)
    table.initialize(to: spar_lm_ext())
    table.pointee.struct_size = UInt64(MemoryLayout<spar_lm_ext>.size)
    table.pointee.open = { host, path, model in
      let path = path.map { String(cString: $0) } ?? ""
      if path == "missing" {
        host?.pointee.set_error(host, "no model 'missing' here")
        return spar_status(SPAR_E_IO)
      }
      FakeModel.state.withLock { $0.opened.append(path) }
      model?.pointee = UnsafeMutableRawPointer(bitPattern: 16)
      return 0
    }
    table.pointee.close = { _ in FakeModel.state.withLock { $0.closed += 1 } }
    table.pointee.score = { _, items, n in
      FakeModel.state.withLock {
        $0.calls += 1
        $0.items += Int(n)
      }
      for item in UnsafeBufferPointer(start: items, count: Int(n)) {
        let messages = UnsafeBufferPointer(start: item.messages, count: Int(item.n_messages))
        let prompt = messages.reduce(0) { $0 + Int($1.content.n) }
        for i in 0..<Int(item.n) {
          let bytes = Int(item.completions[i].n)
          item.sum[i] = -Double((prompt + 1) * bytes)
          item.n_tokens[i] = Int64(bytes + 1)
        }
      }
      return 0
    }
    return UnsafePointer(table)
  }()

  init(on host: PluginHost) {
    Self.state.withLock { $0 = State() }
    host.register(extension: "spar.language-model/1", Self.table)
  }

  var opened: [String] { Self.state.withLock { $0.opened } }
  var closed: Int { Self.state.withLock { $0.closed } }
  var calls: Int { Self.state.withLock { $0.calls } }
  var items: Int { Self.state.withLock { $0.items } }
}

@Suite("Ranker results") struct RankResultTests {
  private let nan = Double.nan

  @Test("derive the table that is not native")
  func derived() throws {
    let blank = [nan, nan, nan, nan]
    let fromRaw = RankOutputs(k: 2, raw: [0, 1, -1, 0], pairwise: blank, score: [nan, nan])
    #expect(try fromRaw.checked(.nativeRaw).pairwise[1] == 1 / (1 + exp(-1.0)))
    let fromP = RankOutputs(k: 2, raw: blank, pairwise: [0.5, 1, 0, 0.5], score: [nan, nan])
    let result = try fromP.checked([])
    #expect(result.raw[0] == 0 && result.raw[1] > 36 && result.raw[2] < -36)
    #expect(result.score == nil)
  }

  @Test(
    "that break the contract name the entry",
    arguments: [
      ([0.0, 1, .nan, 0], [0.5, 0.7, 0.3, 0.5], "raw[1][0]"),
      ([0, 1, -1, 0.1], [0.5, 0.7, 0.3, 0.5], "raw[1][1]"),
      ([0, 1, -1, 0], [0.5, 1.1, 0.3, 0.5], "pairwise[0][1]"),
      ([0, 1, -1, 0], [0.6, 0.7, 0.3, 0.5], "pairwise[0][0]"),
      ([0, 1, -1, 0], [0.5, 0.7, 0.4, 0.5], "pairwise[0][1]"),
    ])
  func faults(raw: [Double], pairwise: [Double], entry: String) {
    let outputs = RankOutputs(k: 2, raw: raw, pairwise: pairwise, score: [1, 2])
    let fault = #expect(throws: RankFault.self) { try outputs.checked(.complement) }
    #expect(fault?.entry == entry)
  }
}
