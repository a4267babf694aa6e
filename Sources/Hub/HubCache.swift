import Foundation

/// The cache on the disk, laid out as the Hub's Python library does:
///
/// ```
/// models--owner--name/blobs/<etag>                          contents, once each
/// models--owner--name/refs/<branch or tag>                  its commit
/// models--owner--name/snapshots/<commit>/<file>             link to ../../blobs/<etag>
/// models--owner--name/.no_exist/<commit>/<file>             empty: the commit has no such file
/// .locks/models--owner--name/<etag>.lock
/// ```
struct HubCache: Sendable {
  let folder: URL

  private func home(_ repository: HubRepository) -> URL { folder.appendingPathComponent(Self.name(repository)) }

  private static func name(_ repository: HubRepository) -> String {
    "\(repository.kind.plural)--\(repository.name.replacingOccurrences(of: "/", with: "--"))"
  }

  func snapshot(_ commit: String, of repository: HubRepository) -> URL {
    home(repository).appendingPathComponent("snapshots/\(commit)", isDirectory: true)
  }

  func blob(_ etag: String, of repository: HubRepository) -> URL {
    home(repository).appendingPathComponent("blobs/\(etag)")
  }

  func partial(_ etag: String, of repository: HubRepository) -> URL {
    home(repository).appendingPathComponent("blobs/\(etag).incomplete")
  }

  func lock(_ etag: String, of repository: HubRepository) -> URL {
    folder.appendingPathComponent(".locks/\(Self.name(repository))/\(etag).lock")
  }

  /// The commit that the revision stood for when the Hub was last asked.
  func commit(of repository: HubRepository) -> String? {
    if repository.isPinned { return repository.revision }
    let text = try? String(contentsOf: reference(repository), encoding: .utf8)
    return text.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.flatMap { isCommit($0) ? $0 : nil }
  }

  func remember(_ commit: String, for repository: HubRepository) throws {
    guard !repository.isPinned, self.commit(of: repository) != commit else { return }
    let file = reference(repository)
    try createFolder(of: file)
    try replace(file) { try Data(commit.utf8).write(to: $0) }
  }

  /// Makes a blob appear as a file of the snapshot.
  func link(_ file: String, to etag: String, commit: String, of repository: HubRepository) throws {
    let place = snapshot(commit, of: repository).appendingPathComponent(file)
    try createFolder(of: place)
    let up = String(repeating: "../", count: 2 + file.count { $0 == "/" })
    try replace(place) {
      try FileManager.default.createSymbolicLink(atPath: $0.path, withDestinationPath: "\(up)blobs/\(etag)")
    }
  }

  /// Notes that a commit has no such file.
  func noteAbsence(of file: String, commit: String, in repository: HubRepository) throws {
    let place = absence(of: file, commit: commit, in: repository)
    try createFolder(of: place)
    try replace(place) { try Data().write(to: $0) }
  }

  func isKnownAbsent(_ file: String, commit: String, in repository: HubRepository) -> Bool {
    FileManager.default.fileExists(atPath: absence(of: file, commit: commit, in: repository).path)
  }

  private func absence(of file: String, commit: String, in repository: HubRepository) -> URL {
    home(repository).appendingPathComponent(".no_exist/\(commit)/\(file)")
  }

  func createFolder(of file: URL) throws {
    let folder = file.deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch { throw HubError.cannotWrite(path: folder.path, code: code(of: error)) }
  }

  private func reference(_ repository: HubRepository) -> URL {
    home(repository).appendingPathComponent("refs/\(repository.revision)")
  }

  /// Readers see the old file or the new one, never none.
  private func replace(_ file: URL, _ write: (URL) throws -> Void) throws {
    let temporary = file.deletingLastPathComponent().appendingPathComponent(".\(UUID().uuidString).tmp")
    do { try write(temporary) } catch { throw HubError.cannotWrite(path: file.path, code: code(of: error)) }
    guard rename(temporary.path, file.path) == 0 else {
      let code = errno
      unlink(temporary.path)
      throw HubError.cannotWrite(path: file.path, code: code)
    }
  }

  /// The system's number of what Foundation threw.
  private func code(of error: any Error) -> Int32 {
    let inner = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return inner.map { Int32($0.code) } ?? (error as? POSIXError)?.code.rawValue ?? EIO
  }
}
