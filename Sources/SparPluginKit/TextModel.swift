import CSparPlugin

/// A transformer of the host's, lent through its extension "spar.text-model/1".
///
///     let model = try TextModel(path: options.text(0), host: host)
///     let head = try model.tensor("score.weight")
///     let states = try model.hidden([.init(sequences: [.init(ids: ids, rows: [ids.count - 1])])])
///
/// Calls are [serial].
public final class TextModel {
  /// Token ids, and the rows of them whose final hidden states are wanted.
  public struct Rows {
    public var ids: [Int32]
    public var rows: [Int]

    public init(ids: [Int32] = [], rows: [Int] = []) {
      self.ids = ids
      self.rows = rows
    }
  }

  /// Sequences that continue one prefix, which is computed once.
  public struct Group {
    public var prefix: Rows
    public var sequences: [Rows]

    public init(prefix: Rows = Rows(), sequences: [Rows]) {
      self.prefix = prefix
      self.sequences = sequences
    }
  }

  /// The wanted hidden states of a group, [rows, C] each.
  public struct States {
    public var prefix: [Float]
    public var sequences: [[Float]]
  }

  /// A tensor of the model's files, row-major.
  public struct Weights {
    public var shape: [Int]
    public var values: [Float]
  }

  public let info: TextModelInfo
  private let calls: spar_tm_ext
  private let model: UnsafeMutableRawPointer?

  /// Throws when the host has no such extension, or cannot open `path`.
  public init(path: String, host: PluginHostLink) throws {
    guard let offered = host.extension(SPAR_TEXT_MODEL_EXT) else {
      throw PluginFailure(
        "this host offers no \(SPAR_TEXT_MODEL_EXT), which runs models for rankers",
        status: Int(SPAR_UNSUPPORTED))
    }
    var calls = spar_tm_ext()
    spar_adopt(&calls, MemoryLayout<spar_tm_ext>.size, offered)
    guard let open = calls.open, calls.close != nil, let info = calls.info, calls.encode != nil,
      calls.token != nil, calls.render != nil, calls.tensor != nil, calls.hidden != nil,
      calls.logits != nil
    else { throw PluginFailure("the host's \(SPAR_TEXT_MODEL_EXT) is incomplete") }
    var model: UnsafeMutableRawPointer?
    let status = open(host.table, path, &model)
    guard status == spar_status(SPAR_OK) else { throw PluginFailure(alreadyReported: status) }
    self.calls = calls
    self.model = model
    var facts = spar_tm_info()
    facts.struct_size = UInt64(MemoryLayout<spar_tm_info>.size)
    guard info(model, &facts) == spar_status(SPAR_OK) else {
      calls.close(model)
      throw PluginFailure("the host cannot describe \(path)", status: Int(SPAR_E_INTERNAL))
    }
    self.info = TextModelInfo(facts)
  }

  deinit { calls.close(model) }

  public func encode(_ text: String, special: Bool = false) throws -> [Int32] {
    var text = text
    return try text.withUTF8 { bytes in
      let lent = spar_text(
        p: UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
        n: UInt64(bytes.count))
      return try sized(guess: bytes.count / 2 + 16) { ids, capacity, count in
        calls.encode(model, lent, special ? UInt64(SPAR_TM_SPECIAL) : 0, ids, capacity, count)
      }
    }
  }

  /// The id of a token as the vocabulary spells it.
  public func id(of token: String) throws -> Int32? {
    var token = token
    var id: Int32 = -1
    try token.withUTF8 { bytes in
      let lent = spar_text(
        p: UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
        n: UInt64(bytes.count))
      try check(calls.token(model, lent, &id))
    }
    return id < 0 ? nil : id
  }

  /// The tokens that a model is to choose among, each a label of one token.
  public func tokens(of labels: [String]) throws -> [Int32] {
    let tokens = try labels.map { label in
      let ids = try encode(label)
      guard ids.count == 1 else {
        throw PluginFailure(
          "\(info.path): label \(label) is \(ids.count) tokens, it must be one; choose others")
      }
      return ids[0]
    }
    guard Set(tokens).count == tokens.count else {
      throw PluginFailure(
        "\(info.path): the labels \(labels.joined(separator: ", ")) are the same token; "
          + "they must differ")
    }
    return tokens
  }

  /// The conversation through the model's chat template.
  public func render(_ messages: [Message], generationPrompt: Bool = false) throws -> String {
    try withLent(messages) { lent in
      let length = messages.reduce(0) { $0 + $1.content.utf8.count + 64 }
      return try text(guess: length + 256) { text, capacity, count in
        calls.render(
          model, lent.baseAddress, Int64(lent.count),
          generationPrompt ? UInt64(SPAR_TM_GENERATION_PROMPT) : 0, text, capacity, count)
      }
    }
  }

  /// Identity of the weights.  Reads all of them where they stay in their file.
  public func digest() throws -> String {
    guard let digest = calls.digest else {
      throw PluginFailure(
        "this host's \(SPAR_TEXT_MODEL_EXT) tells no identity of weights",
        status: Int(SPAR_UNSUPPORTED))
    }
    return try text(guess: 64) { text, capacity, count in digest(model, text, capacity, count) }
  }

  private func text(
    guess: Int,
    _ call: (UnsafeMutablePointer<CChar>?, Int64, UnsafeMutablePointer<Int64>) -> spar_status
  ) throws -> String {
    let bytes: [CChar] = try sized(guess: guess, call)
    return String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// A tensor of the model's files by its name there; nil when there is none.
  public func tensor(_ name: String) throws -> Weights? {
    var shape = [Int64](repeating: 0, count: Int(SPAR_MAX_RANK))
    var rank: Int32 = -1
    try check(calls.tensor(model, name, &shape, &rank, nil, 0))
    guard rank >= 0 else { return nil }
    let sizes = shape.prefix(Int(rank)).map { Int($0) }
    var values = [Float](repeating: 0, count: sizes.reduce(1, *))
    try check(calls.tensor(model, name, &shape, &rank, &values, Int64(values.count)))
    return Weights(shape: sizes, values: values)
  }

  /// Final hidden states; one call for many groups is fastest.
  public func hidden(_ groups: [Group]) throws -> [States] {
    let lent = LentGroups(groups, width: info.hiddenSize)
    try check(
      lent.groups.withUnsafeBufferPointer {
        calls.hidden(model, $0.baseAddress, Int64($0.count))
      })
    return lent.states
  }

  /// Logits [rows, ids.count] of some tokens from hidden states [rows, C] of a causal model.
  public func logits(_ hidden: [Float], ids: [Int32]) throws -> [Float] {
    let rows = hidden.count / max(info.hiddenSize, 1)
    var logits = [Float](repeating: 0, count: rows * ids.count)
    try check(
      calls.logits(model, hidden, Int64(rows), ids, Int64(ids.count), &logits))
    return logits
  }

  private func check(_ status: spar_status) throws {
    guard status == spar_status(SPAR_OK) else { throw PluginFailure(alreadyReported: status) }
  }

  /// Runs a call that tells how much it has to say, again where the first guess was too small.
  private func sized<Element: BitwiseCopyable>(
    guess: Int,
    _ call: (UnsafeMutablePointer<Element>?, Int64, UnsafeMutablePointer<Int64>) -> spar_status
  ) throws -> [Element] {
    var capacity = guess
    while true {
      var needed: Int64 = 0
      var status = spar_status(SPAR_OK)
      let values = [Element](unsafeUninitializedCapacity: capacity) { buffer, count in
        status = call(buffer.baseAddress, Int64(capacity), &needed)
        count = status == spar_status(SPAR_OK) ? min(Int(needed), capacity) : 0
      }
      try check(status)
      if Int(needed) <= capacity { return values }
      capacity = Int(needed)
    }
  }
}

/// Facts of an open model.
public struct TextModelInfo {
  public var isEncoder: Bool
  public var modelType: String
  public var path: String
  /// The model's own config.json.
  public var configJSON: String
  /// Identity of the tokenizer; that of the weights is `TextModel.digest()`.
  public var tokenizerDigest: String
  public var hiddenSize: Int
  public var vocabularySize: Int
  public var maxPositions: Int
  public var bos, eos, pad, unk: Int32?
  /// As templates spell them.
  public var bosToken, eosToken: String?

  init(_ c: spar_tm_info) {
    func text(_ p: UnsafePointer<CChar>?) -> String? { p.map { String(cString: $0) } }
    isEncoder = c.kind == UInt32(SPAR_TM_ENCODER)
    modelType = text(c.model_type) ?? ""
    path = text(c.path) ?? ""
    configJSON = text(c.config_json) ?? "{}"
    tokenizerDigest = text(c.tokenizer_digest) ?? ""
    hiddenSize = Int(c.hidden_size)
    vocabularySize = Int(c.vocabulary_size)
    maxPositions = Int(c.max_positions)
    bos = c.bos < 0 ? nil : c.bos
    eos = c.eos < 0 ? nil : c.eos
    pad = c.pad < 0 ? nil : c.pad
    unk = c.unk < 0 ? nil : c.unk
    bosToken = text(c.bos_token)
    eosToken = text(c.eos_token)
  }
}
