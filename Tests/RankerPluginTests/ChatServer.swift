import Foundation
import Synchronization

/// A server of `/v1/chat/completions` on a free port of this machine, for one test.
final class ChatServer: Sendable {
  struct Request: Sendable {
    /// Counts from 0 in the order of arrival.
    var number: Int
    var path: String
    var headers: [String: String]
    var body: Data

    var json: [String: Any] {
      get throws {
        try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:]
      }
    }

    /// The question that is asked.
    var question: String {
      get throws {
        let messages = try json["messages"] as? [[String: Any]] ?? []
        return messages.first?["content"] as? String ?? ""
      }
    }
  }

  enum Response: Sendable {
    case status(Int, headers: [String: String] = [:], body: String = "{}")
    /// Says nothing until the client goes away.
    case silence
    /// Closes the connection at once.
    case hangUp

    static func json(_ body: String) -> Response { .status(200, body: body) }

    /// A reply whose first token has these log-probabilities.
    static func logprobs(_ listed: [(String, Double)]) -> Response {
      let entries = listed.map { "{\"token\":\"\($0.0)\",\"logprob\":\($0.1)}" }
      return .json(
        "{\"choices\":[{\"message\":{\"content\":\"A\"},\"logprobs\":{\"content\":[{\"token\":\"A\","
          + "\"top_logprobs\":[\(entries.joined(separator: ","))]}]}}]}")
    }

    static func text(_ text: String) -> Response {
      .json("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"\(text)\"}}]}")
    }
  }

  private let descriptor: Int32
  private let answer: @Sendable (Request) throws -> Response
  private let seen = Mutex<[Request]>([])
  let port: Int

  var url: String { "http://127.0.0.1:\(port)/v1" }
  var requests: [Request] { seen.withLock { $0 } }

  init(_ answer: @escaping @Sendable (Request) throws -> Response) throws {
    self.answer = answer
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let made = withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) == 0 && listen(descriptor, 128) == 0
          && getsockname(descriptor, address, &size) == 0
      }
    }
    guard made else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread { [descriptor, weak self] in
      while true {
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else {
          // Closed by whoever accepts: another server may get the number as soon as it is free.
          close(descriptor)
          return
        }
        Thread.detachNewThread { [weak self] in
          self?.serve(client)
          close(client)
        }
      }
    }
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  private func serve(_ client: Int32) {
    var received = Data()
    let end = Data("\r\n\r\n".utf8)
    while received.range(of: end) == nil {
      guard Self.read(client, &received) else { return }
    }
    guard let headEnd = received.range(of: end) else { return }
    let head = String(decoding: received[..<headEnd.lowerBound], as: UTF8.self)
      .components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in head.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 {
        headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
      }
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    while received.count < headEnd.upperBound + length {
      guard Self.read(client, &received) else { return }
    }
    let request = seen.withLock { seen in
      seen.append(
        Request(
          number: seen.count, path: head[0], headers: headers,
          body: received[headEnd.upperBound...]))
      return seen[seen.count - 1]
    }
    let response: Response
    do {
      response = try answer(request)
    } catch {
      response = .status(400, body: "\(error)")
    }
    switch response {
    case .hangUp: return
    case .silence:
      var rest = Data()
      while Self.read(client, &rest) {}
    case .status(let code, let more, let body):
      var text = "HTTP/1.1 \(code) x\r\nContent-Type: application/json\r\n"
      for (name, value) in more { text += "\(name): \(value)\r\n" }
      text += "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
      let bytes = Array(text.utf8)
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes { raw in
          send(client, raw.baseAddress! + sent, raw.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        sent += count
      }
    }
  }

  private static func read(_ client: Int32, _ data: inout Data) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(client, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    data.append(contentsOf: buffer[..<count])
    return true
  }
}
