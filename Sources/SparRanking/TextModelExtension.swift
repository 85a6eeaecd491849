import CSparPlugin
import Foundation
import SparModel
import SparText

/// The host's side of "spar.text-model/1": lends transformers to rankers that bring heads.
///
/// Register `table` under `TextModelExtension.id`; an extension is never freed, make one.  A model
/// is shared by all who opened the same path, and freed when the last of them closes it.
public final class TextModelExtension: @unchecked Sendable {
  // Unchecked: `lock` guards the cache and every use of a model.

  public static let id = SPAR_TEXT_MODEL_EXT

  /// A `spar_tm_ext`, offered under `id`.
  public let table = LentTable.make(TextModelExtension.calls)

  private let load: (String) throws -> any TextModel
  private let policy: () -> WeightsPolicy
  private let onProgress: ((_ done: Int, _ of: Int) -> Void)?
  private let lock = NSLock()
  private var models: [OpenModelKey: WeakTextModel] = [:]

  /// - Parameters:
  ///   - weights: how `load` keeps them now; a model that is open with another choice is not shared.
  ///   - onProgress: called between the passes of a long call.
  ///   - load: opens a model; gets the path as the ranker's option has it.
  public init(
    weights: @escaping () -> WeightsPolicy = { .f32 },
    onProgress: ((_ done: Int, _ of: Int) -> Void)? = nil,
    load: @escaping (String) throws -> any TextModel
  ) {
    self.load = load
    policy = weights
    self.onProgress = onProgress
    LentTable<spar_tm_ext>.give(table, to: self)
  }

  /// The models that somebody has open now.
  public var opened: [any TextModel] {
    lock.withLock { models.sorted { $0.key.path < $1.key.path }.compactMap(\.value.model) }
  }

  fileprivate func model(_ path: String) throws -> any TextModel {
    try lock.withLock {
      let key = OpenModelKey(path: path, weights: policy())
      if let model = models[key]?.model { return model }
      let model = try load(path)
      models[key] = WeakTextModel(model: model)
      return model
    }
  }

  fileprivate func hidden(
    _ groups: UnsafeBufferPointer<spar_tm_group>, _ opened: OpenedTextModel
  ) throws {
    let asked = try groups.map {
      try TextModelGroup($0, vocabulary: opened.model.facts.vocabularySize)
    }
    let states = try lock.withLock {
      try opened.model.hidden(asked) { done, total in
        onProgress?(done, total)
        if opened.host.pointee.cancelled(opened.host) != 0, done < total {
          throw CancelledByHost()
        }
      }
    }
    for (group, states) in zip(groups, states) {
      give(states.prefix, to: group.prefix.hidden)
      for (index, values) in states.sequences.enumerated() {
        give(values, to: group.sequences[index].hidden)
      }
    }
  }

  fileprivate func logits(
    _ hidden: [Float], rows: Int, ids: [Int32], _ opened: OpenedTextModel
  ) throws -> [Float] {
    try lock.withLock { try opened.model.logits(hidden, rows: rows, ids: ids) }
  }

  private func give(_ values: [Float], to target: UnsafeMutablePointer<Float>?) {
    guard !values.isEmpty else { return }
    target?.update(from: values, count: values.count)
  }

  private static let calls = spar_tm_ext(
    struct_size: UInt64(MemoryLayout<spar_tm_ext>.size),
    open: { host, path, out in
      guard let host, let path, let out,
        let table = host.pointee.extension(host, TextModelExtension.id)
      else { return spar_status(SPAR_E_INVALID) }
      let owner = LentTable<spar_tm_ext>.owner(of: table, as: TextModelExtension.self)
      return reporting(to: host) {
        let opened = OpenedTextModel(
          try owner.model(String(cString: path)), owner: owner, host: host)
        out.pointee = Unmanaged.passRetained(opened).toOpaque()
      }
    },
    close: { handle in
      guard let handle else { return }
      Unmanaged<OpenedTextModel>.fromOpaque(handle).release()
    },
    info: { handle, out in
      serving(handle) { opened in
        guard let out else { throw MissingArgument() }
        var info = opened.info
        spar_give(out, &info, MemoryLayout<spar_tm_info>.size)
      }
    },
    encode: { handle, text, flags, ids, capacity, count in
      serving(handle) { opened in
        guard let count, flags & ~UInt64(SPAR_TM_SPECIAL) == 0 else { throw MissingArgument() }
        let found = opened.model.tokenizer.encode(
          text.string, special: flags & UInt64(SPAR_TM_SPECIAL) != 0)
        count.pointee = copy(found, to: ids, capacity)
      }
    },
    token: { handle, text, id in
      serving(handle) { opened in
        guard let id else { throw MissingArgument() }
        id.pointee = opened.model.tokenizer.id(of: text.string) ?? -1
      }
    },
    render: { handle, messages, messageCount, flags, text, capacity, count in
      serving(handle) { opened in
        guard let count, flags & ~UInt64(SPAR_TM_GENERATION_PROMPT) == 0, messageCount >= 0 else {
          throw MissingArgument()
        }
        let rendered = try opened.model.render(
          UnsafeBufferPointer(start: messages, count: Int(messageCount)).map {
            ChatMessage(role: $0.role.string, content: $0.content.string)
          }, generationPrompt: flags & UInt64(SPAR_TM_GENERATION_PROMPT) != 0)
        count.pointee = copy(rendered.utf8.map(CChar.init(bitPattern:)), to: text, capacity)
      }
    },
    tensor: { handle, name, shape, rank, values, capacity in
      serving(handle) { opened in
        guard let name, let shape, let rank else { throw MissingArgument() }
        let weights = opened.model.weights
        guard let entry = weights.entry(String(cString: name)) else {
          rank.pointee = -1
          return
        }
        guard entry.shape.count <= Int(SPAR_MAX_RANK) else {
          throw TensorAccess(path: weights.path, entry: entry, capacity: nil)
        }
        for (axis, size) in entry.shape.enumerated() { shape[axis] = Int64(size) }
        rank.pointee = Int32(entry.shape.count)
        guard let values else { return }
        guard capacity >= entry.count else {
          throw TensorAccess(path: weights.path, entry: entry, capacity: Int(capacity))
        }
        try weights.read(
          entry.name, into: UnsafeMutableBufferPointer(start: values, count: entry.count))
      }
    },
    hidden: { handle, groups, count in
      serving(handle) { opened in
        guard count >= 0 else { throw MissingArgument() }
        try opened.owner.hidden(UnsafeBufferPointer(start: groups, count: Int(count)), opened)
      }
    },
    logits: { handle, hidden, rows, ids, idCount, out in
      serving(handle) { opened in
        guard rows >= 0, idCount >= 0 else { throw MissingArgument() }
        let states = UnsafeBufferPointer(
          start: hidden, count: Int(rows) * opened.model.facts.hiddenSize)
        let chosen = Array(UnsafeBufferPointer(start: ids, count: Int(idCount)))
        let vocabulary = opened.model.facts.vocabularySize
        guard chosen.allSatisfy({ 0..<vocabulary ~= Int($0) }) else { throw MissingArgument() }
        let logits = try opened.owner.logits(
          Array(states), rows: Int(rows), ids: chosen, opened)
        if !logits.isEmpty { out?.update(from: logits, count: logits.count) }
      }
    },
    digest: { handle, text, capacity, count in
      serving(handle) { opened in
        guard let count else { throw MissingArgument() }
        let digest = opened.model.digest
        count.pointee = copy(digest.utf8.map(CChar.init(bitPattern:)), to: text, capacity)
      }
    })
}

/// Runs one call on an open model.
private func serving(
  _ handle: UnsafeMutableRawPointer?, _ body: (OpenedTextModel) throws -> Void
) -> spar_status {
  guard let handle else { return spar_status(SPAR_E_INVALID) }
  let opened = Unmanaged<OpenedTextModel>.fromOpaque(handle).takeUnretainedValue()
  return reporting(to: opened.host) { try body(opened) }
}

/// As much as there is room for; returns how much there is.
private func copy<Element>(
  _ values: [Element], to target: UnsafeMutablePointer<Element>?, _ capacity: Int64
) -> Int64 {
  let count = min(values.count, Int(max(capacity, 0)))
  if count > 0 { target?.update(from: values, count: count) }
  return Int64(values.count)
}

private struct WeakTextModel {
  weak var model: (any TextModel)?
}

/// What a ranker's handle points at.
private final class OpenedTextModel {
  let model: any TextModel
  let owner: TextModelExtension
  let host: UnsafePointer<spar_host>
  private var texts: [UnsafeMutablePointer<CChar>] = []
  private(set) var info = spar_tm_info()

  init(_ model: any TextModel, owner: TextModelExtension, host: UnsafePointer<spar_host>) {
    self.model = model
    self.owner = owner
    self.host = host
    let (facts, tokenizer) = (model.facts, model.tokenizer)
    info.struct_size = UInt64(MemoryLayout<spar_tm_info>.size)
    info.model_type = text(facts.modelType)
    info.path = text(facts.path)
    info.config_json = text(facts.configJSON)
    info.tokenizer_digest = text(tokenizer.digest)
    info.hidden_size = Int64(facts.hiddenSize)
    info.vocabulary_size = Int64(facts.vocabularySize)
    info.max_positions = Int64(facts.maxPositions)
    info.bos = tokenizer.bos ?? -1
    info.eos = tokenizer.eos ?? -1
    info.pad = tokenizer.pad ?? -1
    info.unk = tokenizer.unk ?? -1
    info.kind = UInt32(facts.kind == .causal ? SPAR_TM_CAUSAL : SPAR_TM_ENCODER)
    info.bos_token = tokenizer.bosToken.flatMap { text($0) }
    info.eos_token = tokenizer.eosToken.flatMap { text($0) }
  }

  private func text(_ text: String) -> UnsafePointer<CChar>? {
    guard let copy = strdup(text) else { return nil }
    texts.append(copy)
    return UnsafePointer(copy)
  }

  deinit {
    for text in texts { free(text) }
  }
}

/// A call that breaks the interface.
private struct MissingArgument: Error, CustomStringConvertible {
  var description: String {
    "a call of \(SPAR_TEXT_MODEL_EXT) lacks an argument or has one out of range: "
      + "the plugin is wrong"
  }
}

/// A tensor that cannot be handed out.
private struct TensorAccess: Error, CustomStringConvertible {
  var path: String
  var entry: WeightEntry
  var capacity: Int?

  var description: String {
    if let capacity {
      return
        "\(path): tensor \(entry.name) has \(entry.count) values, there is room for \(capacity)"
    }
    return "\(path): tensor \(entry.name) of shape \(entry.shape) has more than "
      + "\(SPAR_MAX_RANK) axes"
  }
}
