import Foundation
import Synchronization

/// An HTTP server on 127.0.0.1 with a thread of its own. One request a connection; it can stop in the middle of an answer.
final class TestServer: Sendable {
  struct Request: Sendable {
    let method: String, path: String
    /// By name in lower case.
    let headers: [String: String]
    /// How often this method and path were asked before.
    let visit: Int
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [String: String] = [:]
    var body = Data()
    /// Bytes of the body after which the connection is cut.
    var cut: Int?
  }

  let address: String
  private let descriptor: Int32
  private let log = Mutex<[Request]>([])

  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let isListening = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isListening else { throw POSIXError(.EADDRINUSE) }
    address = "http://127.0.0.1:\(UInt16(bigEndian: place.sin_port))"
    Thread.detachNewThread { [weak self] in
      defer { close(descriptor) }
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0, let self else { return }
        serve(connection, answer)
        close(connection)
      }
    }
  }

  /// Wakes the thread that accepts, which then closes.
  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// All requests so far.
  var requests: [Request] { log.withLock { $0 } }

  func count(_ method: String, _ end: String) -> Int {
    requests.count { $0.method == method && $0.path.hasSuffix(end) }
  }

  private func serve(_ connection: Int32, _ answer: (Request) -> Answer) {
    guard let request = read(connection) else { return }
    let answer = answer(request)
    var headers = answer.headers
    if headers["Content-Length"] == nil { headers["Content-Length"] = "\(answer.body.count)" }
    headers["Connection"] = "close"
    var bytes = Data("HTTP/1.1 \(answer.status) Answer\r\n".utf8)
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { bytes += Data("\(name): \(value)\r\n".utf8) }
    bytes += Data("\r\n".utf8)
    if request.method != "HEAD" { bytes += answer.body.prefix(answer.cut ?? .max) }
    bytes.withUnsafeBytes { bytes in
      var sent = 0
      while let start = bytes.baseAddress, sent < bytes.count {
        let result = send(connection, start + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        guard result > 0 else { return }
        sent += result
      }
    }
  }

  private func read(_ connection: Int32) -> Request? {
    var text = "", buffer = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      text += String(decoding: buffer.prefix(count), as: UTF8.self)
    }
    let lines = text.components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ").map(String.init)
    let pairs = lines.dropFirst().compactMap { line -> (String, String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
    }
    return log.withLock { log in
      let visit = log.count { $0.method == words[0] && $0.path == words[1] }
      let request = Request(
        method: words[0], path: words[1], headers: Dictionary(pairs) { first, _ in first }, visit: visit)
      log.append(request)
      return request
    }
  }
}
