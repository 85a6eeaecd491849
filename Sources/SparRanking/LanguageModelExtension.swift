import CSparPlugin
import Foundation
import SparModel
import SparText

/// The host's side of "spar.language-model/1": lends causal models to rankers.
///
/// Register `table` under `LanguageModelExtension.id`.  Plugins may keep its address until the
/// process ends, so an extension is never freed; make one.  A model is shared by all who opened the
/// same path, and freed when the last of them closes it.
public final class LanguageModelExtension: @unchecked Sendable {
  // Unchecked: `lock` guards the cache and every use of a model.

  public static let id = SPAR_LANGUAGE_MODEL_EXT

  /// A `spar_lm_ext`, offered under `id`.
  public let table = LentTable.make(LanguageModelExtension.calls)

  private let load: (String) throws -> LanguageModel
  private let policy: () -> WeightsPolicy
  private let scoring: AnswerScoring
  private let onProgress: ((_ done: Int, _ of: Int) -> Void)?
  private let lock = NSLock()
  private var models: [OpenModelKey: Weakly<LanguageModel>] = [:]

  /// - Parameters:
  ///   - rowsPerPass: token rows computed together; more memory, fewer passes.
  ///   - weights: how `load` keeps them now; a model that is open with another choice is not shared.
  ///   - onProgress: called between the passes of a long call.
  ///   - load: opens a model; gets the path as the ranker's option has it.
  public init(
    rowsPerPass: Int = 2048, weights: @escaping () -> WeightsPolicy = { .f32 },
    onProgress: ((_ done: Int, _ of: Int) -> Void)? = nil,
    load: @escaping (String) throws -> LanguageModel
  ) {
    self.load = load
    policy = weights
    self.onProgress = onProgress
    scoring = AnswerScoring(rowsPerPass: rowsPerPass)
    LentTable<spar_lm_ext>.give(table, to: self)
  }

  private static let calls = spar_lm_ext(
    struct_size: UInt64(MemoryLayout<spar_lm_ext>.size),
    open: { host, path, out in
      guard let host, let path, let out,
        let table = host.pointee.extension(host, LanguageModelExtension.id)
      else { return spar_status(SPAR_E_INVALID) }
      let owner = LentTable<spar_lm_ext>.owner(of: table, as: LanguageModelExtension.self)
      return reporting(to: host) {
        let opened = OpenedModel(try owner.model(String(cString: path)), owner: owner, host: host)
        out.pointee = Unmanaged.passRetained(opened).toOpaque()
      }
    },
    close: { handle in
      guard let handle else { return }
      Unmanaged<OpenedModel>.fromOpaque(handle).release()
    },
    score: { handle, items, count in
      guard let handle, count >= 0 else { return spar_status(SPAR_E_INVALID) }
      let opened = Unmanaged<OpenedModel>.fromOpaque(handle).takeUnretainedValue()
      return reporting(to: opened.host) {
        try opened.owner.score(
          UnsafeBufferPointer(start: items, count: Int(count)), opened)
      }
    })

  /// The models that somebody has open now.
  public var opened: [LanguageModel] {
    lock.withLock { models.sorted { $0.key.path < $1.key.path }.compactMap(\.value.model) }
  }

  private func model(_ path: String) throws -> LanguageModel {
    try lock.withLock {
      let key = OpenModelKey(path: path, weights: policy())
      if let model = models[key]?.model { return model }
      let model = try load(path)
      models[key] = Weakly(model)
      return model
    }
  }

  private func score(_ items: UnsafeBufferPointer<spar_lm_item>, _ opened: OpenedModel) throws {
    let model = opened.model
    let groups = try items.map { item in
      AnswerScoring.Group(
        prompt: try Self.prompt(item, model),
        answers: try UnsafeBufferPointer(start: item.completions, count: Int(item.n)).map {
          try model.answer($0.string)
        })
    }
    let sums = try lock.withLock {
      try scoring.sums(groups, under: model) { done, total in
        onProgress?(done, total)
        if opened.host.pointee.cancelled(opened.host) != 0, done < total {
          throw CancelledByHost()
        }
      }
    }
    for (index, item) in items.enumerated() {
      for (answer, sum) in sums[index].enumerated() {
        guard sum.isFinite else {
          throw NotFinite(path: model.path, item: index, answer: answer, found: sum)
        }
        item.sum?[answer] = sum
        item.n_tokens?[answer] = Int64(groups[index].answers[answer].count)
      }
    }
  }

  /// The item's conversation through the model's template; without any message, the token that
  /// starts a text.
  private static func prompt(_ item: spar_lm_item, _ model: LanguageModel) throws -> [Int32] {
    let messages = UnsafeBufferPointer(start: item.messages, count: Int(item.n_messages)).map {
      ChatMessage(role: $0.role.string, content: $0.content.string)
    }
    return try promptIDs(messages, model)
  }

  /// The ids that answers to `messages` are scored after.
  public static func promptIDs(
    _ messages: [ChatMessage], _ model: LanguageModel
  ) throws -> [Int32] {
    if messages.isEmpty,
      let start = model.storedTokenizer?.bos ?? model.config.bos ?? model.endIDs.first
    {
      return [start]
    }
    let ids = try model.prompt(messages)
    guard !ids.isEmpty else { throw ModelError(.noChatTemplate, path: model.path) }
    return ids
  }
}

/// What a ranker's handle points at.
private final class OpenedModel {
  let model: LanguageModel
  let owner: LanguageModelExtension
  let host: UnsafePointer<spar_host>

  init(_ model: LanguageModel, owner: LanguageModelExtension, host: UnsafePointer<spar_host>) {
    self.model = model
    self.owner = owner
    self.host = host
  }
}

private struct NotFinite: Error, CustomStringConvertible {
  var path: String
  var item: Int
  var answer: Int
  var found: Double

  var description: String {
    "\(path) gives log-probability \(found) to answer \(answer) of item \(item); "
      + "its weights are damaged"
  }
}
