import CSparPlugin
import Foundation
import SparPluginKit

/// A model behind an endpoint, asked several questions at a time.
struct RemotePanel: JudgePanel, @unchecked Sendable {
  // Unchecked: threads see a copy, which is constant; of the host only `cancelled` is called, which
  // any thread may.

  let endpoint: ChatEndpoint
  let model: String
  let prompt: JudgePrompt
  let reading: JudgeReading
  let reply: JudgeReply
  let maxTokens: Int
  let concurrency: Int
  /// So many questions in succession without a reply end the ranking; 0 = never.
  let giveUpAfter: Int
  let host: PluginHostLink
  /// Questions in succession without a reply, of earlier calls too: a prompt alone may have few.
  var silent = 0

  /// What a reply may have: 20 alternatives of every token with their bytes take less than 4 KiB.
  static func replyBytes(tokens: Int) -> Int { 1 << 20 + tokens << 12 }

  mutating func logOdds(
    _ comparisons: [Comparison], messages: [[Message]], answers: [[String]]
  ) throws -> [Double?] {
    let questions = comparisons.map { c in
      body(prompt.text(messages[c.query], answers[c.query][c.first], answers[c.query][c.second]))
    }
    let work = QuestionWork(count: questions.count, giveUpAfter: giveUpAfter, silent: silent)
    let panel = self
    DispatchQueue.concurrentPerform(iterations: min(concurrency, max(questions.count, 1))) { _ in
      while let index = work.next() {
        work.finish(index, with: panel.answer(to: questions[index], work))
      }
    }
    silent = work.silence
    return try work.verdicts()
  }

  private func answer(to question: Data, _ work: QuestionWork) -> QuestionWork.Answer {
    do {
      switch try endpoint.ask(question, isCancelled: { host.isCancelled || work.isOver }) {
      case .cancelled: return .stopped
      case .failed(let reason): return .failed(reason)
      case .tooLong: return .unusable
      case .reply(let data): return .verdict(try reply.logOdds(data, reading))
      }
    } catch is UnusableReply {
      return .unusable
    } catch {
      return .fatal(error)
    }
  }

  private func body(_ text: String) -> Data {
    var fields = [
      "\"model\":" + JSONValue.quoted(model),
      "\"messages\":[{\"role\":\"user\",\"content\":" + JSONValue.quoted(text) + "}]",
      "\"max_tokens\":\(maxTokens)", "\"temperature\":0",
    ]
    if reading == .logprobs { fields += ["\"logprobs\":true", "\"top_logprobs\":20"] }
    return Data(("{" + fields.joined(separator: ",") + "}").utf8)
  }
}

/// Questions that several threads work off.
private final class QuestionWork: @unchecked Sendable {
  // Unchecked: `lock` guards everything that changes.

  enum Answer {
    case verdict(Double)
    /// The server answered, but said nothing of use.
    case unusable
    /// The server did not answer.
    case failed(String)
    case fatal(any Error)
    case stopped
  }

  private let giveUpAfter: Int
  private let lock = NSLock()
  private var following = 0
  private var found: [Double?]
  private var silent: Int
  private var error: (any Error)?
  private var isStopped = false

  /// - Parameter silent: questions without any answer just before these.
  init(count: Int, giveUpAfter: Int, silent: Int) {
    self.giveUpAfter = giveUpAfter
    self.silent = silent
    found = [Double?](repeating: nil, count: count)
  }

  /// Questions in succession without any answer, up to the last one.
  var silence: Int { lock.withLock { silent } }

  var isOver: Bool { lock.withLock { error != nil || isStopped } }

  func next() -> Int? {
    lock.withLock {
      guard following < found.count, error == nil, !isStopped else { return nil }
      following += 1
      return following - 1
    }
  }

  func finish(_ index: Int, with answer: Answer) {
    lock.withLock {
      switch answer {
      case .verdict(let odds):
        found[index] = odds
        silent = 0
      case .unusable: silent = 0
      case .failed(let reason):
        silent += 1
        guard giveUpAfter > 0, silent >= giveUpAfter, error == nil else { return }
        error = PluginFailure(
          "\(silent) questions in succession got no answer, the last one: \(reason); what was "
            + "ranked before is kept", status: Int(SPAR_E_IO))
      case .fatal(let problem): error = error ?? problem
      case .stopped: isStopped = true
      }
    }
  }

  func verdicts() throws -> [Double?] {
    try lock.withLock {
      if let error { throw error }
      guard !isStopped else { throw PluginFailure("cancelled", status: Int(SPAR_E_CANCELLED)) }
      return found
    }
  }
}
