import Foundation

/// One file of a repository on its way into the cache.
struct BlobDownload {
  let api: HubAPI
  let cache: HubCache
  let repository: HubRepository
  let commit: String
  let file: String
  /// Bytes to ask for at once. The session takes what comes as fast as it comes, so this bounds the memory.
  let part: Int64
  let progress: @Sendable (HubProgress) -> Void

  /// Fetches what is not there, checks it, and links it into the snapshot.
  func run() throws {
    let place = cache.snapshot(commit, of: repository).appendingPathComponent(file)
    if FileManager.default.fileExists(atPath: place.path) { return }
    let facts = try api.facts(of: file, in: repository, commit: commit)
    let blob = cache.blob(facts.etag, of: repository), lock = cache.lock(facts.etag, of: repository)
    try cache.createFolder(of: blob)
    try cache.createFolder(of: lock)
    let turn = FileLock(
      isCancelled: api.transport.isCancelled, isWaiting: { api.say("another process fetches \(file); waiting for it") })
    try turn.hold(lock) {
      if !FileManager.default.fileExists(atPath: blob.path) { try fetch(facts, to: blob) }
    }
    try cache.link(file, to: facts.etag, commit: commit, of: repository)
  }

  private func fetch(_ facts: HubAPI.FileFacts, to blob: URL) throws {
    let partial = try PartialFile(cache.partial(facts.etag, of: repository))
    if let size = facts.size {
      if partial.count > size { try partial.startOver() }
      try checkSpace(for: size - partial.count)
    }
    progress(HubProgress(file: file, bytes: partial.count, total: facts.size))
    let address = try api.address(of: file, in: repository, commit: commit)
    while facts.size.map({ partial.count < $0 }) ?? true {
      try api.retry.run(
        hasToken: api.settings.token != nil, received: { partial.count },
        failed: { .cut(file, repository, bytes: partial.count, $0) }, say: api.say
      ) { try receive(address, size: facts.size, into: partial) }
      if facts.size == nil { break }
    }
    try check(partial, facts)
    try partial.commit(as: blob)
  }

  /// One attempt: a part, from where the file stands.
  private func receive(_ address: URL, size: Int64?, into partial: PartialFile) throws {
    let start = partial.count
    let end = size.map { min($0, start + part) }
    var request = HTTPRequest(url: address)
    if start > 0 || end != size { request.headers["Range"] = "bytes=\(start)-\(end.map { "\($0 - 1)" } ?? "")" }
    var hasBegun = false
    let head = try api.send(request) { head, data in
      if !hasBegun {
        hasBegun = true
        try begin(head, at: start, size: size, partial)
      }
      try partial.append(data)
      if let size, partial.count > size { throw wrongSize(size, partial.count, partial) }
      progress(HubProgress(file: file, bytes: partial.count, total: size))
    }
    if head.status == 416 {
      // What is there is no beginning of this file.
      try partial.startOver()
      throw Setback.connection("the server refuses to go on at byte \(start)")
    }
    _ = try api.checked(head, of: repository, file: file, url: address)
    if !hasBegun { try begin(head, at: start, size: size, partial) }
    if let wanted = head.status == 206 ? end : size, partial.count < wanted {
      throw Setback.connection("the connection was closed \(wanted - partial.count) bytes before the end")
    }
  }

  /// Looks at the head before the first byte is written: a server may send the whole file where a part was asked for, or
  /// a file of another length.
  private func begin(_ head: HTTPHead, at start: Int64, size: Int64?, _ partial: PartialFile) throws {
    guard head.status == 206 else {
      if start > 0 { try partial.startOver() }
      if let size, let length = head["content-length"].flatMap(Int64.init), length != size {
        throw wrongSize(size, length, partial)
      }
      return
    }
    let range = head["content-range"]?.wholeMatch(of: /bytes (\d{1,18})-\d+\/(\d{1,18}|\*)/)
    guard let range, Int64(range.1) == start else {
      try partial.startOver()
      throw Setback.connection("the server sends another part than the one asked for")
    }
    if let size, let total = Int64(range.2), total != size { throw wrongSize(size, total, partial) }
  }

  private func wrongSize(_ expected: Int64, _ found: Int64, _ partial: PartialFile) -> HubError {
    partial.delete()
    return .wrongSize(file, repository, expected: expected, found: found)
  }

  private func check(_ partial: PartialFile, _ facts: HubAPI.FileFacts) throws {
    guard let checksum = Checksum(etag: facts.etag) else { return }
    let found = try checksum.found(in: partial.url)
    guard found == checksum.expected else {
      partial.delete()
      throw HubError.wrongHash(file, repository, expected: checksum.expected, found: found)
    }
  }

  private func checkSpace(for needed: Int64) throws {
    let path = cache.folder.path
    let free = try? FileManager.default.attributesOfFileSystem(forPath: path)[.systemFreeSize] as? NSNumber
    if let free = free?.int64Value, needed > free {
      throw HubError.noSpace(path: path, needed: needed, free: free)
    }
  }
}
