import Foundation

@testable import Hub

/// A Hub with one repository and, at another address, the host that keeps its large files.
final class PlayedHub: Sendable {
  typealias Fault = @Sendable (TestServer.Request) -> TestServer.Answer?

  static let commit = "0123456789abcdef0123456789abcdef01234567"
  static let tinyModel: [String: Data] = [
    "config.json": Data(#"{"model_type": "bert"}"#.utf8), "vocab.txt": Data("[PAD]\n[UNK]\n".utf8),
    "model.safetensors": weights, "README.md": Data("# Tiny".utf8), "modeling.py": Data("import os".utf8),
  ]
  static let weights = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })

  let hub: TestServer
  /// Where large files lie.
  let store: TestServer
  let folder: URL
  let waits = Log<Double>()

  /// - Parameters:
  ///   - fault: an answer of the Hub in place of the right one.
  ///   - storeFault: the same of the host of large files.
  init(
    _ files: [String: Data] = tinyModel, name: String = "toy/tiny", kind: HubRepository.Kind = .model,
    fault: @escaping Fault = { _ in nil }, storeFault: @escaping Fault = { _ in nil }
  ) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("hub-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let etags = try files.mapValues { [folder] in try Self.etag($0, scratch: folder.appendingPathComponent("scratch")) }
    let store = try TestServer { request in
      if let answer = storeFault(request) { return answer }
      let data = files.first { etags[$0.key] == String(request.path.dropFirst()) }?.value
      return data.map { .file($0, request) } ?? TestServer.Answer(status: 404)
    }
    self.store = store
    let prefix = kind == .dataset ? "/datasets" : ""
    hub = try TestServer { request in
      if let answer = fault(request) { return answer }
      if request.path.hasPrefix("/api/\(kind.rawValue)s/\(name)/revision/") { return .listing(files.keys.sorted()) }
      let start = "\(prefix)/\(name)/resolve/\(Self.commit)/"
      guard request.path.hasPrefix(start), let data = files[String(request.path.dropFirst(start.count))],
        let etag = etags[String(request.path.dropFirst(start.count))]
      else { return .refusal(404, request.path.hasPrefix(start) ? "EntryNotFound" : "RepoNotFound") }
      var answer = TestServer.Answer.file(data, request)
      if Self.isLarge(data) {
        answer = TestServer.Answer(status: 302, headers: ["Location": "\(store.address)/\(etag)"])
        answer.headers["X-Linked-Etag"] = "\"\(etag)\""
        answer.headers["X-Linked-Size"] = "\(data.count)"
      } else {
        answer.headers["ETag"] = "\"\(etag)\""
      }
      answer.headers["X-Repo-Commit"] = Self.commit
      return answer
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// A client of this Hub, with a cache of its own, which waits for nothing.
  func client(offline: Bool = false, token: String? = nil) -> HubClient {
    var client = HubClient(HubSettings(endpoint: hub.address, cache: folder, token: token, isOffline: offline))
    client.retry.wait = { [waits] in waits.add($0) }
    return client
  }

  @discardableResult
  func model(_ name: String = "toy/tiny", token: String? = nil, asksFirst: Bool = false) throws -> URL {
    try client(token: token).snapshot(of: HubRepository(name), .model, asksFirst: asksFirst)
  }

  /// The sentence that the fetch of the model throws, without this folder's and these servers' addresses.
  func sentence(_ name: String = "toy/tiny", token: String? = nil) -> String {
    do {
      try model(name, token: token)
      return "nothing was thrown"
    } catch {
      return "\(error)".replacingOccurrences(of: hub.address, with: "HUB")
        .replacingOccurrences(of: store.address, with: "STORE").replacingOccurrences(of: folder.path, with: "CACHE")
    }
  }

  /// Paths below the cache's folder of the model, sorted.
  func entries(_ path: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.appendingPathComponent(path).path).sorted()
  }

  private static func isLarge(_ data: Data) -> Bool { data.count > 1000 }

  private static func etag(_ data: Data, scratch: URL) throws -> String {
    try data.write(to: scratch)
    defer { try? FileManager.default.removeItem(at: scratch) }
    return try (isLarge(data) ? Checksum.sha256("") : .gitBlob("")).found(in: scratch)
  }
}

extension TestServer.Answer {
  /// A file, or the part of it that is asked for.
  static func file(_ data: Data, _ request: TestServer.Request) -> Self {
    guard let range = request.headers["range"]?.wholeMatch(of: /bytes=(\d+)-(\d*)/), let start = Int(range.1) else {
      return Self(body: data)
    }
    guard start < data.count else { return Self(status: 416) }
    let end = Int(range.2).map { $0 + 1 } ?? data.count
    return Self(
      status: 206, headers: ["Content-Range": "bytes \(start)-\(end - 1)/\(data.count)"], body: data[start..<end])
  }

  static func listing(_ files: [String]) -> Self {
    let siblings = files.map { #"{"rfilename": "\#($0)"}"# }.joined(separator: ", ")
    return Self(body: Data(#"{"sha": "\#(PlayedHub.commit)", "siblings": [\#(siblings)]}"#.utf8))
  }

  static func refusal(_ status: Int, _ code: String) -> Self { Self(status: status, headers: ["X-Error-Code": code]) }
}
