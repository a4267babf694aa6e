import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

struct HTTPRequest: Sendable {
  var method = "GET"
  var url: URL
  var headers: [String: String] = [:]
}

/// Status and headers of an answer.
struct HTTPHead: Sendable {
  let status: Int
  private let headers: [String: String]

  init(_ response: HTTPURLResponse) {
    status = response.statusCode
    headers = Dictionary(
      response.allHeaderFields.map { ("\($0.key)".lowercased(), "\($0.value)") },
      uniquingKeysWith: { first, _ in first })
  }

  /// - Parameter name: in lower case.
  subscript(_ name: String) -> String? { headers[name] }

  var isSuccess: Bool { (200..<300).contains(status) }

  /// Where a redirect leads, resolved against the address that was asked.
  func redirect(from url: URL) -> URL? {
    guard (300..<400).contains(status), let location = self["location"] else { return nil }
    return URL(string: location, relativeTo: url)?.absoluteURL
  }
}

/// An answer that did not come, or not whole; asking again may help.
struct TransportFailure: Error {
  let reason: String
}

/// One HTTP exchange at a time, on the caller's thread. It follows no redirect: whether the token goes along is for the
/// caller to decide.
struct Transport: Sendable {
  /// Longest silence, in seconds, before the exchange fails.
  var patience: Double = 30
  /// Looked at some times a second.
  var isCancelled: @Sendable () -> Bool = { false }

  /// - Parameter body: called on the caller's thread with each piece of the body, also of a refusal's.
  /// - Throws: `TransportFailure`, `HubError.interrupted`, and what `body` throws.
  func send(_ request: HTTPRequest, body: (HTTPHead, Data) throws -> Void) throws -> HTTPHead {
    var wire = URLRequest(url: request.url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: patience)
    wire.httpMethod = request.method
    // A compressed body has another length than the file, and no ranges.
    wire.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    for (name, value) in request.headers { wire.setValue(value, forHTTPHeaderField: name) }
    let configuration = URLSessionConfiguration.ephemeral
    configuration.timeoutIntervalForRequest = patience
    configuration.urlCache = nil
    configuration.httpShouldSetCookies = false
    let exchange = Exchange()
    let session = URLSession(configuration: configuration, delegate: exchange, delegateQueue: nil)
    let task = session.dataTask(with: wire)
    // Not `invalidateAndCancel`: on Linux it walks over the tasks while one that ends is taken out.
    defer {
      task.cancel()
      session.finishTasksAndInvalidate()
    }
    task.resume()
    var head: HTTPHead?
    while true {
      if isCancelled() { throw HubError.interrupted }
      guard let event = exchange.next() else { continue }
      switch event {
      case .head(let value): head = value
      case .data(let data): if let head { try body(head, data) }
      case .end(let reason):
        if let reason { throw TransportFailure(reason: reason) }
        guard let head else { throw TransportFailure(reason: "no answer") }
        return head
      }
    }
  }
}

/// Carries the events of one task from the session's thread to the caller's.
private final class Exchange: NSObject, URLSessionDataDelegate, Sendable {
  enum Event: Sendable { case head(HTTPHead), data(Data), end(String?) }

  private let events = Mutex<[Event]>([])
  private let arrived = DispatchSemaphore(value: 0)

  /// The next event, `nil` when a fifth of a second passes without one.
  func next() -> Event? {
    guard arrived.wait(timeout: .now() + 0.2) == .success else { return nil }
    return events.withLock { $0.removeFirst() }
  }

  private func post(_ event: Event) {
    events.withLock { $0.append(event) }
    arrived.signal()
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    if let response = response as? HTTPURLResponse { post(.head(HTTPHead(response))) }
    completionHandler(.allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) { post(.data(data)) }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    if let error {
      post(.end(error.localizedDescription))
    } else {
      // A refused redirect, and an answer without a body, end without a head of their own.
      if let response = task.response as? HTTPURLResponse { post(.head(HTTPHead(response))) }
      post(.end(nil))
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) {
    completionHandler(nil)
  }
}
