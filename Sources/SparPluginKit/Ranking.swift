import CSparPlugin

/// A ranker: fills the raw scores of every query of a batch.
public protocol Ranker: AnyObject {
  func rank(_ queries: [Query]) throws
}

/// One prompt and its K answers, and where the scores go.
public struct Query {
  /// The conversation and the answers as the host gave them: lent for the call.
  public let c: spar_rank_query

  public var count: Int { Int(c.k) }

  public func response(_ i: Int) -> String {
    let text = c.responses[i]
    guard let start = text.p else { return "" }
    let bytes = UnsafeBufferPointer(start: start, count: Int(text.n))
    return String(decoding: UnsafeRawBufferPointer(bytes), as: UTF8.self)
  }

  /// Answers by one number each: raw(i, j) = (score i - score j) / scale, P = 1/(1 + e^-raw).
  public func write(scores: [Double], scale: Double) {
    for i in 0..<count {
      c.score?[i] = scores[i]
      for j in 0..<count {
        let raw = i == j ? 0 : (scores[i] - scores[j]) / scale
        c.raw[i * count + j] = raw
        c.pairwise[i * count + j] = logistic(raw)
      }
    }
  }
}

/// Describes a ranker.  `flags`: SPAR_RANK_*; `formula` gives the raw score of i against j.
public func ranker(
  id: String, name: String, doc: String, formula: String? = nil, paper: String? = nil,
  options: [Option], flags: Int, create: CreateFunction
) -> Component {
  let api: UnsafePointer<spar_ranker_api> = forever {
    $0.struct_size = UInt64(MemoryLayout<spar_ranker_api>.size)
    $0.flags = UInt64(flags)
    $0.rank = { me, batch in
      guarded {
        guard let batch else { throw PluginFailure("called without a batch") }
        let queries = UnsafeBufferPointer(
          start: batch.pointee.queries, count: Int(batch.pointee.n))
        try object(me, as: (any Ranker).self).rank(queries.map(Query.init(c:)))
      }
    }
  }
  return Component(
    kind: UInt32(SPAR_KIND_RANKER), id: id, name: name,
    doc: componentDoc(doc, formula: formula, paper: paper), options: options,
    create: create, api: api)
}
