import Foundation

/// The requests that the Hub answers, with redirects followed and refusals turned into sentences.
struct HubAPI: Sendable {
  let settings: HubSettings
  let retry: RetryPolicy
  let transport: Transport
  var say: @Sendable (String) -> Void = { _ in }

  /// The files of a repository at one commit.
  struct Listing: Equatable { let commit: String, files: [String] }

  /// What the Hub says of a file: its entity tag is its hash, and the name of its copy in the cache.
  struct FileFacts: Equatable { let etag: String, size: Int64? }

  func listing(of repository: HubRepository) throws -> Listing {
    struct Answer: Decodable {
      struct Sibling: Decodable { let rfilename: String }
      let sha: String
      let siblings: [Sibling]
    }
    let url = try url("api/\(repository.kind.plural)/\(repository.name)/revision", Self.escaped(repository.revision))
    let data = try persist(url) { try self.data(url, of: repository) }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: data), isCommit(answer.sha) else {
      throw HubError.notAHub(url: url.absoluteString, "no commit and files in its JSON")
    }
    let files = answer.siblings.map(\.rfilename)
    for file in files where !Self.isSafe(file) { throw HubError.unsafePath(file, repository) }
    return Listing(commit: answer.sha, files: files)
  }

  /// Branches and tags; none where the Hub does not say.
  func revisions(of repository: HubRepository) -> [String] {
    struct Answer: Decodable {
      struct Reference: Decodable { let name: String }
      let branches: [Reference], tags: [Reference]
    }
    guard let url = try? url("api/\(repository.kind.plural)/\(repository.name)", "refs") else { return [] }
    var data = Data()
    let head = try? send(HTTPRequest(url: url)) { data.append($1) }
    guard head?.isSuccess == true, let answer = try? JSONDecoder().decode(Answer.self, from: data) else { return [] }
    return Array((answer.branches + answer.tags).map(\.name).prefix(8))
  }

  func facts(of file: String, in repository: HubRepository, commit: String) throws -> FileFacts {
    let request = HTTPRequest(method: "HEAD", url: try address(of: file, in: repository, commit: commit))
    let head = try persist(request.url) {
      try checked(send(request, mayLeave: false) { _, _ in }, of: repository, file: file, url: request.url)
    }
    guard let etag = (head["x-linked-etag"] ?? head["etag"]).map(Self.unquoted), Self.isSafe(etag), !etag.contains("/")
    else { throw HubError.notAHub(url: request.url.absoluteString, "no ETag") }
    // The length of a redirect is that of its own text.
    let length = head["x-linked-size"] ?? (head.isSuccess ? head["content-length"] : nil)
    return FileFacts(etag: etag, size: length.flatMap(Int64.init))
  }

  /// Where a file of a commit is.
  func address(of file: String, in repository: HubRepository, commit: String) throws -> URL {
    let prefix = repository.kind == .dataset ? "datasets/" : ""
    let path = file.split(separator: "/").map { Self.escaped(String($0)) }.joined(separator: "/")
    return try url("\(prefix)\(repository.name)/resolve/\(commit)", path)
  }

  private func data(_ url: URL, of repository: HubRepository) throws -> Data {
    var data = Data()
    _ = try checked(send(HTTPRequest(url: url)) { data.append($1) }, of: repository, file: nil, url: url)
    return data
  }

  private func persist<Value>(_ url: URL, _ attempt: () throws -> Value) throws -> Value {
    try retry.run(
      hasToken: settings.token != nil, failed: { .unreachable(url: settings.endpoint, $0) }, say: say, attempt: attempt)
  }

  private func url(_ parts: String...) throws -> URL {
    let text = settings.endpoint + "/" + parts.joined(separator: "/")
    guard let url = URL(string: text), url.host != nil, ["http", "https"].contains(url.scheme) else {
      throw HubError.badEndpoint(settings.endpoint)
    }
    return url
  }

  private static func escaped(_ text: String) -> String {
    let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
  }

  private static func unquoted(_ tag: String) -> String {
    (tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag).trimmingCharacters(in: ["\""])
  }

  /// Whether a path stays in its folder.
  static func isSafe(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = path.utf8.allSatisfy { $0 >= 32 && $0 != UInt8(ascii: "\\") }
    return isPlain && parts.allSatisfy { !["", ".", ".."].contains($0) }
  }
}
