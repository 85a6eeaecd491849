import CSparPlugin

/// A ranker: fills the raw scores of every query of a batch.
public protocol Ranker: AnyObject {
  func rank(_ queries: [Query]) throws
}

/// One prompt and its K answers, and where the scores go.
public struct Query {
  /// The conversation and the answers as the host gave them: lent for the call.
  public let c: spar_rank_query
  /// The prompt's whole row of its file, a JSON object, where the host has it.
  public let row: String?
  let failed: UnsafeMutablePointer<UInt8>?
  let truncated: UnsafeMutablePointer<UInt8>?

  public init(
    c: spar_rank_query, row: String? = nil, failed: UnsafeMutablePointer<UInt8>? = nil,
    truncated: UnsafeMutablePointer<UInt8>? = nil
  ) {
    self.c = c
    self.row = row
    self.failed = failed
    self.truncated = truncated
  }

  public var count: Int { Int(c.k) }

  public func response(_ i: Int) -> String { c.responses[i].string }

  public var responses: [String] { (0..<count).map(response) }

  /// Answers by one number each: raw(i, j) = (score i - score j) / scale, P = 1/(1 + e^-raw).
  public func write(scores: [Double], scale: Double) {
    for i in 0..<count { c.score?[i] = scores[i] }
    write { i, j in (scores[i] - scores[j]) / scale }
  }

  /// Answers by raw(i, j) for i ≠ j, P = 1/(1 + e^-raw).
  public func write(raw: (_ i: Int, _ j: Int) -> Double) {
    for i in 0..<count {
      for j in 0..<count {
        let value = i == j ? 0 : raw(i, j)
        c.raw[i * count + j] = value
        c.pairwise[i * count + j] = logistic(value)
      }
    }
  }

  /// Answers i and j could not be compared: no number stands for them, and the host counts them.
  public func markFailed(_ i: Int, _ j: Int) throws {
    guard let failed else {
      throw PluginFailure(
        "answers \(i) and \(j) could not be compared, and this host counts no failures",
        status: Int(SPAR_E_IO))
    }
    for (a, b) in [(i, j), (j, i)] {
      failed[a * count + b] = 1
      c.raw[a * count + b] = 0
      c.pairwise[a * count + b] = 0.5
    }
  }

  /// The ranker has not read all of the prompt with answer i.
  public func markTruncated(_ i: Int) { truncated?[i] = 1 }
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
        var known = spar_rank_batch()
        spar_adopt(&known, MemoryLayout<spar_rank_batch>.size, batch)
        let queries = (0..<Int(known.n)).map { q in
          let row = known.rows.map { $0[q] }
          return Query(
            c: known.queries[q], row: row?.p == nil ? nil : row?.string,
            failed: known.failed?[q], truncated: known.truncated?[q])
        }
        try object(me, as: (any Ranker).self).rank(queries)
      }
    }
  }
  return Component(
    kind: UInt32(SPAR_KIND_RANKER), id: id, name: name,
    doc: componentDoc(doc, formula: formula, paper: paper), options: options,
    create: create, api: api)
}
