import CSparPlugin
import Synchronization

/// Compares answers to a prompt.
public final class Ranker: Sendable {
  public let component: PluginComponent
  public let flags: RankerFlags
  private let instance: ComponentInstance
  private let api: RankerFunctions
  private let turn = Mutex<Void>(())

  /// Function pointers of the adopted table.
  private struct RankerFunctions: @unchecked Sendable {
    var table: spar_ranker_api
  }

  init(_ instance: ComponentInstance) {
    self.instance = instance
    component = instance.component
    let table = component.raw.api.map { adopt($0, as: spar_ranker_api.self) }
    api = RankerFunctions(table: table ?? spar_ranker_api())
    flags = RankerFlags(rawValue: api.table.flags)
  }

  /// Lets a model-backed ranker run on a backend, which must outlive it.  Returns false when the
  /// ranker has no use for one.
  @discardableResult
  public func bindBackend(
    _ api: UnsafePointer<spar_backend_api>, _ backend: UnsafeMutableRawPointer?
  ) throws(PluginError) -> Bool {
    guard let bind = self.api.table.bind_backend else { return false }
    try check(component, "bind_backend") { bind(instance.pointer, api, backend) }
    return true
  }

  /// One result a query, checked: finite, P in 0...1, diagonals ½ and 0, claims kept.
  public func rank(_ queries: [RankQuery]) throws(PluginError) -> [RankResult] {
    var arena = CallArena()
    var lent: [spar_rank_query] = []
    for query in queries { lent.append(query.lend(&arena)) }
    var batch = spar_rank_batch()
    batch.struct_size = UInt64(MemoryLayout<spar_rank_batch>.size)
    batch.queries = arena.copy(lent)
    batch.n = Int64(lent.count)
    var rows: [spar_text] = []
    for query in queries { rows.append(query.row.map { arena.counted($0) } ?? spar_text()) }
    batch.rows = UnsafePointer(arena.copy(rows))
    var failed: [UnsafeMutablePointer<UInt8>?] = []
    var truncated: [UnsafeMutablePointer<UInt8>?] = []
    for query in lent {
      failed.append(arena.fill(0, count: Int(query.k * query.k)))
      truncated.append(arena.fill(0, count: Int(query.k)))
    }
    batch.failed = UnsafePointer(arena.copy(failed))
    batch.truncated = UnsafePointer(arena.copy(truncated))
    try call(&batch)
    var results: [RankResult] = []
    for (index, query) in lent.enumerated() {
      let k = Int(query.k)
      let outputs = RankOutputs(
        k: k, raw: array(query.raw, k * k), pairwise: array(query.pairwise, k * k),
        score: array(query.score, k), failed: array(failed[index], k * k).map { $0 != 0 },
        truncated: array(truncated[index], k).map { $0 != 0 })
      do throws(RankFault) {
        results.append(try outputs.checked(flags))
      } catch {
        throw .badResult(
          component: component.id, library: component.library.location,
          entry: "query \(index), \(error.entry)", what: error.what)
      }
    }
    return results
  }

  private func call(_ batch: inout spar_rank_batch) throws(PluginError) {
    if flags.contains(.reentrant) {
      try check(component, "rank") { api.table.rank(instance.pointer, &batch) }
      return
    }
    try turn.withLock { _ throws(PluginError) in
      try check(component, "rank") { api.table.rank(instance.pointer, &batch) }
    }
  }
}

extension RankQuery {
  fileprivate func lend(_ arena: inout CallArena) -> spar_rank_query {
    precondition(
      responseIDs == nil || responseIDs?.count == responses.count, "ids of each answer or none")
    let k = responses.count
    var c = spar_rank_query()
    var turns: [spar_message] = []
    for message in messages {
      turns.append(
        spar_message(role: arena.counted(message.role), content: arena.counted(message.content)))
    }
    c.messages = UnsafePointer(arena.copy(turns))
    c.n_messages = Int64(turns.count)
    var answers: [spar_text] = []
    for response in responses { answers.append(arena.counted(response)) }
    c.responses = UnsafePointer(arena.copy(answers))
    c.k = Int64(k)
    if let tokenizerDigest, let promptIDs, let responseIDs {
      c.tokenizer_digest = arena.text(tokenizerDigest)
      c.prompt_ids = UnsafePointer(arena.copy(promptIDs))
      c.n_prompt_ids = Int64(promptIDs.count)
      var rows: [UnsafePointer<Int32>?] = []
      for ids in responseIDs { rows.append(UnsafePointer(arena.copy(ids))) }
      c.response_ids = UnsafePointer(arena.copy(rows))
      c.n_response_ids = UnsafePointer(arena.copy(responseIDs.map { Int64($0.count) }))
    }
    c.pairwise = arena.fill(.nan, count: k * k)
    c.raw = arena.fill(.nan, count: k * k)
    c.score = arena.fill(.nan, count: k)
    return c
  }
}
