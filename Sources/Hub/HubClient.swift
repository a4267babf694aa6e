public import Foundation

/// How far the download of a file is.
public struct HubProgress: Sendable, Equatable {
  public let file: String
  public let bytes: Int64
  /// Size of the file, where the Hub says.
  public let total: Int64?
}

/// Gives the folders of models and data sets of the Hub, and fetches what is missing.
public struct HubClient: Sendable {
  public var settings: HubSettings
  public var retry = RetryPolicy()
  /// Called from the thread that asked, often.
  public var progress: @Sendable (HubProgress) -> Void = { _ in }
  /// Told why nothing comes for a while.
  public var say: @Sendable (String) -> Void = { _ in }
  /// Looked at some times a second.
  public var isCancelled: @Sendable () -> Bool = { false }

  /// Bytes of a file to ask for at once.
  var part: Int64 = 64 << 20

  public init(_ settings: HubSettings) { self.settings = settings }

  private var cache: HubCache { HubCache(folder: settings.cache) }

  /// The folder of a repository's files.
  ///
  /// A whole snapshot in the cache is used without asking the Hub, so that runs repeat; `asksFirst` asks whether the
  /// branch has moved on.
  /// - Throws: `HubError`.
  public func snapshot(of repository: HubRepository, _ contents: HubContents, asksFirst: Bool = false) throws -> URL {
    if !asksFirst || settings.isOffline, let found = try cached(repository, contents) { return found }
    guard !settings.isOffline else {
      let missing = missing(contents, of: repository, at: cache.commit(of: repository))
      throw HubError.offline(repository, cache: settings.cache.path, missing: missing)
    }
    return try fetch(repository, contents)
  }

  private func cached(_ repository: HubRepository, _ contents: HubContents) throws -> URL? {
    guard let commit = cache.commit(of: repository) else { return nil }
    let snapshot = cache.snapshot(commit, of: repository)
    _ = try namedFiles(contents, of: repository, in: snapshot)
    return missing(contents, of: repository, at: commit).isEmpty ? snapshot : nil
  }

  /// The files that the index in a snapshot names; nil where it cannot be read.
  private func namedFiles(_ contents: HubContents, of repository: HubRepository, in snapshot: URL) throws -> [String]? {
    let named = contents.namedFiles(in: snapshot)
    for file in named ?? [] where !HubAPI.isSafe(file) { throw HubError.unsafePath(file, repository) }
    return named
  }

  /// What the cache lacks of a repository; all where it knows no commit.
  private func missing(_ contents: HubContents, of repository: HubRepository, at commit: String?) -> [String] {
    guard let commit else { return contents.missing(in: settings.cache) { _ in false } }
    return contents.missing(in: cache.snapshot(commit, of: repository)) {
      cache.isKnownAbsent($0, commit: commit, in: repository)
    }
  }

  private func fetch(_ repository: HubRepository, _ contents: HubContents) throws -> URL {
    let api = HubAPI(settings: settings, retry: retry, transport: Transport(isCancelled: isCancelled), say: say)
    let listing = try api.listing(of: repository)
    let snapshot = cache.snapshot(listing.commit, of: repository)
    func get(_ files: [String]) throws {
      for file in files {
        try BlobDownload(
          api: api, cache: cache, repository: repository, commit: listing.commit, file: file, part: part,
          progress: progress
        ).run()
      }
    }
    try get(contents.firstFiles(of: listing.files, in: repository))
    let index = contents == .model ? HubContents.weightIndex : HubContents.streamFile
    guard let named = try namedFiles(contents, of: repository, in: snapshot), Set(named).isSubset(of: listing.files)
    else {
      throw HubError.badIndex(index, repository)
    }
    try get(named)
    for file in contents.absent(of: listing.files) {
      try cache.noteAbsence(of: file, commit: listing.commit, in: repository)
    }
    try cache.remember(listing.commit, for: repository)
    return snapshot
  }
}
