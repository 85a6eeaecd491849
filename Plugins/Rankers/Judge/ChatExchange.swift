import Foundation
import FoundationNetworking

/// Requests under way: what a session tells about them goes to the one that it is about.
final class Exchanges: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  // Unchecked: `lock` guards what changes.

  private let replyBytes: Int
  private let lock = NSLock()
  private var running: [Int: Exchange] = [:]

  /// - Parameter replyBytes: a longer reply is cut there, and its connection closed.
  init(replyBytes: Int) { self.replyBytes = replyBytes }

  func start(_ request: URLRequest, _ session: URLSession, timeout: Double) -> Exchange {
    let task = session.dataTask(with: request)
    let exchange = Exchange(task, limit: replyBytes, timeout: timeout)
    lock.withLock { running[task.taskIdentifier] = exchange }
    task.resume()
    return exchange
  }

  func forget(_ exchange: Exchange) {
    lock.withLock { running[exchange.task.taskIdentifier] = nil }
  }

  private func exchange(_ task: URLSessionTask) -> Exchange? {
    lock.withLock { running[task.taskIdentifier] }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    exchange(dataTask)?.receive(data)
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    exchange(task)?.finish(task.response, error)
  }
}

/// One request and its answer, waited for on the calling thread.
final class Exchange: @unchecked Sendable {
  // Unchecked: the session tells about a task on one queue; `found` and `isCut` are read once the
  // semaphore is signalled.

  enum Result {
    case answered(status: Int, Data, retryAfter: Double?)
    case failed(String)
    case cancelled
  }

  let task: URLSessionDataTask
  /// The reply was longer than the limit.
  private(set) var isCut = false
  private let limit: Int
  private let timeout: Double
  private let deadline: ContinuousClock.Instant
  private let done = DispatchSemaphore(value: 0)
  private var received = Data()
  private var found = Result.cancelled

  fileprivate init(_ task: URLSessionDataTask, limit: Int, timeout: Double) {
    self.task = task
    self.limit = limit
    self.timeout = timeout
    deadline = ContinuousClock.now + .seconds(timeout)
  }

  fileprivate func receive(_ data: Data) {
    guard !isCut else { return }
    isCut = data.count > limit - received.count
    received += data.prefix(limit - received.count)
    if isCut { task.cancel() }
  }

  fileprivate func finish(_ response: URLResponse?, _ error: (any Error)?) {
    if let response = response as? HTTPURLResponse, error == nil || isCut {
      found = .answered(
        status: response.statusCode, received,
        retryAfter: response.value(forHTTPHeaderField: "Retry-After").flatMap { Double($0) })
    } else {
      found = .failed(error?.localizedDescription ?? "no HTTP answer")
    }
    done.signal()
  }

  func result(_ isCancelled: () -> Bool) -> Result {
    while done.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
      if isCancelled() {
        task.cancel()
        return .cancelled
      }
      // The session's own limit restarts with every byte that trickles in.
      if ContinuousClock.now > deadline {
        task.cancel()
        return .failed("no answer within \(timeout) s")
      }
    }
    return found
  }
}
