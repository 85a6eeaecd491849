import CSparPlugin
import Foundation
import FoundationNetworking
import SparPluginKit

/// An OpenAI-compatible server of chat completions, asked with patience.
///
/// Time-outs, connection errors, 408, 429 and 5xx are tried again after `backoff`·2ⁿ seconds, or
/// when the server's Retry-After says.  Any other refusal ends the ranking: it would come again.
final class ChatEndpoint: Sendable {
  /// How often and how long a request is tried.
  struct Patience: Sendable {
    /// Seconds for one attempt.
    var timeout: Double
    /// Attempts after the first.
    var retries: Int
    /// Seconds before the second attempt; doubles with each one.
    var backoff: Double
  }

  private let url: URL
  private let key: String?
  private let patience: Patience
  private let exchanges: Exchanges
  private let session: URLSession

  /// Longest wait that a server can ask for and that doubling leads to, in seconds.
  private static let longestWait = 300.0

  /// - Parameter replyBytes: more of a reply is not read.
  init(baseURL: String, keyVariable: String, replyBytes: Int, patience: Patience) throws {
    guard let base = URL(string: baseURL), ["http", "https"].contains(base.scheme ?? ""),
      base.host != nil
    else { throw PluginFailure("base-url \(baseURL) is no http or https address") }
    url = base.appendingPathComponent("chat/completions")
    if keyVariable.isEmpty {
      key = nil
    } else {
      guard let value = ProcessInfo.processInfo.environment[keyVariable], !value.isEmpty else {
        throw PluginFailure("api-key-env names \(keyVariable), which is not set")
      }
      key = value
    }
    self.patience = patience
    let settings = URLSessionConfiguration.ephemeral
    settings.timeoutIntervalForRequest = patience.timeout
    settings.httpMaximumConnectionsPerHost = 256
    exchanges = Exchanges(replyBytes: replyBytes)
    session = URLSession(configuration: settings, delegate: exchanges, delegateQueue: nil)
  }

  deinit { session.invalidateAndCancel() }

  /// What became of a request.
  enum Outcome: Sendable {
    case reply(Data)
    /// A reply of more bytes than any that was asked for.
    case tooLong
    /// After all attempts; it may work another time.
    case failed(String)
    case cancelled
  }

  /// - Throws: `PluginFailure` for what no repetition mends.
  func ask(_ body: Data, isCancelled: () -> Bool) throws -> Outcome {
    var reason = ""
    var wait = 0.0
    for attempt in 0...patience.retries {
      guard Self.sleep(wait, isCancelled) else { return .cancelled }
      wait = min(
        patience.backoff * pow(2, Double(attempt)), max(patience.backoff, Self.longestWait))
      let answer = exchanges.start(request(body), session, timeout: patience.timeout)
      defer { exchanges.forget(answer) }
      switch answer.result(isCancelled) {
      case .cancelled: return .cancelled
      case .failed(let text): reason = text
      case .answered(let status, let data, let retryAfter):
        switch status {
        case 200..<300: return answer.isCut ? .tooLong : .reply(data)
        case 408, 429, 500..<600:
          reason = "status \(status)"
          // "nan" reads as a number.
          if let retryAfter, !retryAfter.isNaN {
            wait = min(max(retryAfter, 0), Self.longestWait)
          }
        default:
          throw PluginFailure(
            "\(url.absoluteString) answers \(status): "
              + String(decoding: data.prefix(300), as: UTF8.self), status: Int(SPAR_E_IO))
        }
      }
    }
    return .failed("\(url.absoluteString): \(reason), after \(patience.retries + 1) attempts")
  }

  private func request(_ body: Data) -> URLRequest {
    var request = URLRequest(url: url)
    request.httpMethod = "POST"
    request.httpBody = body
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
    return request
  }

  /// Returns false when the user stopped it.
  private static func sleep(_ seconds: Double, _ isCancelled: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if isCancelled() { return false }
      let left = (end - ContinuousClock.now) / .seconds(1)
      if left <= 0 { return true }
      Thread.sleep(forTimeInterval: min(left, 0.05))
    }
  }
}
