import Foundation

extension HubAPI {
  private static let mostRedirects = 10

  /// Sends with the token, follows redirects, and drops the token where one leads to another host.
  /// - Parameters:
  ///   - mayLeave: whether to follow redirects to other hosts; their answer knows nothing of the repository.
  ///   - body: called with the pieces of an answer that is a success.
  /// - Throws: `Setback` for what may pass.
  func send(_ request: HTTPRequest, mayLeave: Bool = true, body: (HTTPHead, Data) throws -> Void) throws -> HTTPHead {
    var request = request
    if let token = settings.token { request.headers["Authorization"] = "Bearer \(token)" }
    request.headers["User-Agent"] = "jay"
    let home = request.url
    for _ in 0...Self.mostRedirects {
      let head: HTTPHead
      do {
        head = try transport.send(request) { if $0.isSuccess { try body($0, $1) } }
      } catch let failure as TransportFailure { throw Setback.connection(failure.reason) }
      guard let next = head.redirect(from: request.url) else {
        let isElsewhere = Self.origin(request.url) != Self.origin(home)
        return try passing(head, url: request.url, isElsewhere: isElsewhere)
      }
      // Here the file's facts stand; where its bytes are, they need not.
      if !mayLeave, head["x-linked-etag"] != nil { return head }
      if Self.origin(next) != Self.origin(request.url) {
        guard mayLeave else { return head }
        guard next.scheme == "https" || home.scheme == "http" else {
          throw HubError.unsafeRedirect(url: home.absoluteString)
        }
        request.headers["Authorization"] = nil
      }
      request.url = next
    }
    throw HubError.tooManyRedirects(url: home.absoluteString)
  }

  /// A success as it is; a refusal as the error of this repository.
  func checked(_ head: HTTPHead, of repository: HubRepository, file: String?, url: URL) throws -> HTTPHead {
    if head.isSuccess || (300..<400).contains(head.status) { return head }
    let hasToken = settings.token != nil
    switch (head.status, head["x-error-code"]) {
    case (_, "GatedRepo"), (403, _):
      throw HubError.gated(repository, endpoint: settings.endpoint, hasToken: hasToken)
    case (401, _): throw HubError.notShown(repository, endpoint: settings.endpoint, hasToken: hasToken)
    case (404, "RevisionNotFound"): throw HubError.noRevision(repository, known: revisions(of: repository))
    case (404, "RepoNotFound"): throw HubError.noRepository(repository, endpoint: settings.endpoint)
    case (404, _):
      if let file { throw HubError.noFile(file, repository) }
      throw HubError.noRepository(repository, endpoint: settings.endpoint)
    default: throw HubError.unexpectedStatus(head.status, url: url.absoluteString)
    }
  }

  private func passing(_ head: HTTPHead, url: URL, isElsewhere: Bool) throws -> HTTPHead {
    // A query may hold a signature.
    let shown = String(url.absoluteString.prefix { $0 != "?" })
    switch head.status {
    case 429: throw Setback.busy(seconds: Self.pause(head))
    case 408, 500..<600: throw Setback.status(head.status, url: shown)
    // The addresses of other hosts are signed for a while only; the Hub gives a new one.
    case 400..<416 where isElsewhere: throw Setback.status(head.status, url: shown)
    default: return head
    }
  }

  /// Seconds to wait: `Retry-After: 20`, else the reset in `RateLimit: "api";r=0;t=55`.
  private static func pause(_ head: HTTPHead) -> Int? {
    if let seconds = head["retry-after"].flatMap({ Int($0) }), seconds >= 0 { return seconds }
    guard let match = head["ratelimit"]?.firstMatch(of: /;\s*t=(\d{1,9})/) else { return nil }
    return Int(match.1)
  }

  private static func origin(_ url: URL) -> [String] {
    let scheme = url.scheme?.lowercased() ?? ""
    return [scheme, url.host?.lowercased() ?? "", "\(url.port ?? (scheme == "https" ? 443 : 80))"]
  }
}
